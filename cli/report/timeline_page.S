/* The page, for timeline.c: from timeline_page up to timeline_page_end. */
#ifdef __CET__
#include <cet.h> // that all is said to be made for it, no code stands here
#endif
	.section .rodata
	.global timeline_page, timeline_page_end
	.hidden timeline_page, timeline_page_end
timeline_page:
	.incbin "cli/report/timeline/head.html"
	.incbin "cli/report/timeline/style.css"
	.incbin "cli/report/timeline/body.html"
	.incbin "cli/report/timeline/format.js"
	.incbin "cli/report/timeline/data.js"
	.incbin "cli/report/timeline/chart.js"
	.incbin "cli/report/timeline/view.js"
	.incbin "cli/report/timeline/words.js"
	.incbin "cli/report/timeline/tail.html"
timeline_page_end:
	.section .note.GNU-stack, "", %progbits
