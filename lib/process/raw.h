/*
 * System calls of a child that runs in its parent's memory, next to it: errno would be
 * the parent's, so these return it, negative, as the kernel does (syscall(2)).
 */
#ifndef LEAT_PROCESS_RAW_H
#define LEAT_PROCESS_RAW_H

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__LP64__)

#define LEAT_HAS_RAW 1
__attribute__((always_inline)) static inline long leat_raw(
	long number, long first, long second, long third)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(first), "S"(second), "d"(third)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

#define LEAT_HAS_RAW 1
__attribute__((always_inline)) static inline long leat_raw(
	long number, long first, long second, long third)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = first;
	register long x1 __asm__("x1") = second;
	register long x2 __asm__("x2") = third;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}

#else

#define LEAT_HAS_RAW 0 // then the parent has to stand still
__attribute__((always_inline)) static inline long leat_raw(
	long number, long first, long second, long third)
{
	long result = syscall(number, first, second, third);

	return result < 0 ? -errno : result;
}

#endif

#endif
