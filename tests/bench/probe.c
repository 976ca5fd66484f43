/*
 * The cheapest program there can be: without libc, it does nothing but exit. So what
 * a run of it costs is the kernel's start and end of a process, and the executor's
 * own work. If its first argument begins with "s" (say), it first writes a line of
 * 12 bytes.
 */

#if defined(__x86_64__)
#define SYS_WRITE 1
#define SYS_EXIT 231 // exit_group

__asm__(".globl _start\n"
	"_start: mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call probe\n");

static long call(long number, long a, long b, long c)
{
	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return number;
}

#elif defined(__aarch64__)
#define SYS_WRITE 64
#define SYS_EXIT 94 // exit_group

__asm__(".globl _start\n"
	"_start: mov x0, sp\n"
	"	bl probe\n");

static long call(long number, long a, long b, long c)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
	return x0;
}

#else
#error "the probe makes its system calls itself: teach it this machine's way"
#endif

// What the kernel leaves on the stack: the number of arguments, then pointers to them.
struct start {
	long count;
	const char *arguments[];
};

// For the assembly above alone.
void probe(const struct start *start) __attribute__((noreturn, used));

void probe(const struct start *start)
{
	static const char line[] = "hello world\n";
	long length = sizeof line - 1;
	long status = 0;

	if (start->count > 1 && start->arguments[1][0] == 's')
		status = call(SYS_WRITE, 1, (long)line, length) != length;
	for (;;)
		call(SYS_EXIT, status, 0, 0);
}
