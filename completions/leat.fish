# fish completion for leat
# .ci/check-options reads the lines that begin with complete.

set -l durations '200ms 1s 5s 10s 30s 1m 5m 30m 1h'
set -l slots '0 1 2 4 8 16 50% 100% +1 -1'

complete -c leat -f
complete -c leat -s a -l arg-file -r -F -d 'Read tasks from a file'
complete -c leat -s 0 -l null -d 'Records end at a NUL byte'
complete -c leat -s d -l delimiter -x -a '\\\\n \\\\t \\\\0 , : \\;' -d 'Records end at a byte'
complete -c leat -s j -l jobs -x -a $slots -d 'Run so many at once'
complete -c leat -s P -x -a $slots -d 'Run so many at once'
complete -c leat -l shell -x -a '(__fish_complete_command)' -d 'The shell that runs the commands'
complete -c leat -l timeout -x -a $durations -d 'End a task after a time'
complete -c leat -l deadline -x -a $durations -d 'End the run after a time'
complete -c leat -l kill-after -x -a $durations -d 'From SIGTERM to SIGKILL'
complete -c leat -l linger -x -a $durations -d 'Wait for output that others hold open'
complete -c leat -l on-cancel -x -a 'drain terminate' -d 'What Ctrl-C does first'
complete -c leat -l drain-timeout -x -a $durations -d 'Terminate the running tasks after a time'
complete -c leat -s u -l ungroup -d 'Tasks write straight to the output'
complete -c leat -l unrun -r -F -d 'Write the records that were not run'
complete -c leat -l summary -d 'Say how it went, also if all is well'
complete -c leat -s q -l quiet -d 'Say nothing of tasks and how it went'
complete -c leat -l help -d 'Show the options'
complete -c leat -l version -d 'Show the version'
