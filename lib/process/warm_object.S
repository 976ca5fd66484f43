/* The object that is loaded into a warm program, for warm.c: from leat_warm_object up to
 * leat_warm_object_end. */
#ifdef __CET__
#include <cet.h> // that all is said to be made for it, no code stands here
#endif
	.section .rodata
	.global leat_warm_object, leat_warm_object_end
	.hidden leat_warm_object, leat_warm_object_end
leat_warm_object:
	.incbin "lib/process/warm_inside.so"
leat_warm_object_end:
	.section .note.GNU-stack, "", %progbits
