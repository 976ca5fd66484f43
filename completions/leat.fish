# fish completion for leat
# .ci/check-options reads the lines that begin with complete.

# What --help, behind $argv (--as TOOL), tells of options: as argparse takes them, a tab,
# the help. A value that may be left out is never a word of its own.
function __leat_read_help
    command -q leat
    or return
    for line in (command leat $argv --help 2>/dev/null)
        set -l names
        string match -qr '^ +(?=-)(-(?<letter>\w))?,? *(--(?<name>[a-z-]+))?( (?<value>[A-Z:][A-Z=]*))? +(?<text>.*)' -- $line
        or continue
        test -n "$letter"; and set -a names $letter
        test -n "$name"; and set -a names $name
        set -l kind
        if test -n "$value"
            set kind =
            string match -q '*; without *' -- $line; and set kind '=?'
        end
        printf '%s%s\t%s\n' (string join / $names) "$kind" $text
    end
end

# --as TOOL as one word; fails if the line does not have that and more.
function __leat_as
    set -l words (commandline -opc)
    if test "$words[2]" = --as
        set -q words[3]
        and echo --as=$words[3]
    else
        string match -- '--as=*' $words[2]
    end
end

# The command and what follows, or ::: and the like and what follows, up to the cursor.
# Fails where an option or its value is to be completed, by 2 where an outcome is.
function __leat_command
    set -l words (commandline -opc) (commandline -ct)
    set -l as (__leat_as)
    set -e words[1]
    test "$words[1]" = --as; and set -e words[1]
    set -q as[1]; and set -e words[1]
    # The words are without < and >, but with what is behind.
    for file in (commandline -pc | string match -rag '[<>]\s*(\S+)')
        set -l index (contains -i -- $file $words)
        and set -e words[$index]
    end
    argparse -s (__leat_read_help $as | string replace -r '\t.*' '') -- $words 2>/dev/null
    and set -q argv[1]
    or return
    # Only behind -- a command may begin with a dash; behind a script there is none.
    if not set -q argv[2]; and string match -q -- '-*' $argv[1]; and test "$words[-2]" != --
        return 1
    end
    if set -q _flag_script; and not string match -qr '^::::?\+?$' -- $argv[1]
        return 1
    end
    if set -q _flag_list; and not set -q as[1]
        return 2
    end
    string join0 -- $argv
end

# Behind --list words are outcomes.
function __leat_lists
    __leat_command >/dev/null
    test $status -eq 2
end

function __leat_takes_as
    set -l words (commandline -opc)
    contains -- "$words[2..]" '' --as
end

function __leat_takes_options
    not __leat_as >/dev/null
    and not __leat_command >/dev/null
end

# Names in PATH and paths of programs, no builtins nor functions.
function __leat_programs
    for offer in (complete --do-complete=$argv[1])
        set -l name (string split -f 1 \t -- $offer)
        if command -q $name; or string match -q '*/' -- $name
            echo $offer
        end
    end
end

# The command, its arguments, and the options of leat as another tool.
function __leat_offers
    set -l words (__leat_command | string split0)
    set -l current (commandline -ct)
    if test (count $words) -eq 1
        __leat_programs $current
    else if set -q words[1]
        __leat_takes_files
        or complete --do-complete=(string join ' ' -- (string escape -- $words[1..-2]) $current)
    else if __leat_as >/dev/null; and string match -q -- '-*' $current
        __leat_read_help (__leat_as) | string replace -r '^(\w)(?![\w-])' -- '-$1' |
            string replace -r '^(-\w/)?(?=[a-z-]{2})' -- '--' | string replace -r '[=?]*\t' '\t'
    end
end

# Behind ::: and the like, and where another tool's option may take a value.
function __leat_takes_files
    set -l words (__leat_command | string split0)
    if set -q words[1]
        string match -qr '^::::?\+?$' -- $words[1..-2]
    else
        __leat_as >/dev/null
        and not string match -q -- '-*' (commandline -ct)
    end
end

set -l durations '200ms 1s 5s 10s 30s 1m 5m 30m 1h'
set -l slots '0 1 2 4 8 16 50% 100% +1 -1'

complete -c leat -f
complete -c leat -n __leat_takes_files -F
complete -c leat -x -a '(__leat_offers)'
complete -c leat -n __leat_lists -x -a 'ok failed crashed timed-out canceled unrun in-flight'
complete -c leat -n __leat_takes_options -s a -l arg-file -r -F -d 'Read tasks from a file'
complete -c leat -n __leat_takes_options -s 0 -l null -d 'Records end at a NUL byte'
complete -c leat -n __leat_takes_options -s d -l delimiter -x -a '\\\\n \\\\t \\\\0 , : \\;' -d 'Records end at a byte'
complete -c leat -n __leat_takes_options -s C -l colsep -x -a '\\\\t , : \\;' -d 'A record is several values, with a text between'
complete -c leat -n __leat_takes_options -l header -d 'The first record names the values'
complete -c leat -n __leat_takes_options -l trim -x -a 'n l r lr' -d 'No blanks around values'
complete -c leat -n __leat_takes_options -l link -d 'Several sources go in step, not all with all'
complete -c leat -n __leat_takes_options -l shuf -d 'In random order'
complete -c leat -n __leat_takes_options -l seed -x -d 'The same random order each time'
complete -c leat -n __leat_takes_options -s c -l script -x -d 'Run by the shell with the values'
complete -c leat -n __leat_takes_options -s I -l replace -x -d 'A text stands for {}'
complete -c leat -n __leat_takes_options -s n -l max-args -x -d 'So many records for each task'
complete -c leat -n __leat_takes_options -s X -l fill -d 'As many records for a task as fit'
complete -c leat -n __leat_takes_options -s s -l max-chars -x -d 'Commands of at most so many bytes'
complete -c leat -n __leat_takes_as -x -l as -a 'xargs parallel' -d 'Be another tool'
complete -c leat -n __leat_takes_options -s j -l jobs -x -a $slots -d 'Run so many at once'
complete -c leat -n __leat_takes_options -s P -x -a $slots -d 'Run so many at once'
complete -c leat -n __leat_takes_options -l jobserver -f -a 'pipe fifo' -d 'Make in tasks shares the slots'
complete -c leat -n __leat_takes_options -l shell -x -a '(__fish_complete_command)' -d 'The shell that runs the commands'
complete -c leat -n __leat_takes_options -l warm -d 'Each slot keeps a shell'
complete -c leat -n __leat_takes_options -l timeout -x -a $durations -d 'End a task after a time'
complete -c leat -n __leat_takes_options -l delay -x -a $durations -d 'From one start to the next at least a time'
complete -c leat -n __leat_takes_options -l max-load -x -a '50% 100% 200%' -d 'Start no more at this load'
complete -c leat -n __leat_takes_options -l min-memory -x -a '500M 1G 2G 4G 10% 20%' -d 'Nor with less memory left'
complete -c leat -n __leat_takes_options -l max-pressure -x -a 'cpu=50 memory=10 io=50' -d 'Nor at so much pressure'
complete -c leat -n __leat_takes_options -l lane -x -a '{} {/} {//} {.}' -d 'Tasks of the same text one after the other'
complete -c leat -n __leat_takes_options -l stdin -x -a 'null inherit record' -d 'What tasks read'
complete -c leat -n __leat_takes_options -l chdir -x -a '(__fish_complete_directories)' -d 'Run in a directory'
complete -c leat -n __leat_takes_options -l env -x -a '(set -nx)=' -d 'With a variable in the environment'
complete -c leat -n __leat_takes_options -l deadline -x -a $durations -d 'End the run after a time'
complete -c leat -n __leat_takes_options -l kill-after -x -a $durations -d 'From SIGTERM to SIGKILL'
complete -c leat -n __leat_takes_options -l linger -x -a $durations -d 'Wait for output that others hold open'
complete -c leat -n __leat_takes_options -l retries -x -d 'Try a failed task again'
complete -c leat -n __leat_takes_options -l retry-delay -x -a '1s 5s 30s 1m' -d 'After how long'
complete -c leat -n __leat_takes_options -l retry-max-delay -x -a '1m 5m 1h' -d 'At most after how long'
complete -c leat -n __leat_takes_options -l retry-on -x -a 'timeout crash 1' -d 'Only on these'
complete -c leat -n __leat_takes_options -l halt -x -a 'soon,fail=1 now,fail=1 soon,fail=10% soon,success=1 never' -d 'Start no more once'
complete -c leat -n __leat_takes_options -l fail-fast -d 'Start no more once a task failed'
complete -c leat -n __leat_takes_options -l on-cancel -x -a 'drain terminate' -d 'What Ctrl-C does first'
complete -c leat -n __leat_takes_options -l drain-timeout -x -a $durations -d 'Terminate the running tasks after a time'
complete -c leat -n __leat_takes_options -l orphans -x -a 'end keep' -d 'What runs when leat is killed'
complete -c leat -n __leat_takes_options -s k -l keep-order -d 'Outputs come in the order of the input'
complete -c leat -n __leat_takes_options -l line-buffer -d 'Output comes as it is written, by whole lines'
complete -c leat -n __leat_takes_options -s u -l ungroup -d 'Tasks write straight to the output'
complete -c leat -n __leat_takes_options -l tag -d 'Each line begins with the command'
complete -c leat -n __leat_takes_options -l tagstring -x -a '{} {#} {%} {/} {.}' -d 'Each line begins with a text'
complete -c leat -n __leat_takes_options -l joblog -r -F -d 'Write a line for each task, as GNU parallel does'
complete -c leat -n __leat_takes_options -l events -r -F -d 'What happens, as JSON lines'
complete -c leat -n __leat_takes_options -l timeline -r -F -d 'A page that shows the run'
complete -c leat -n __leat_takes_options -l junit -r -F -d 'A test case for each task'
complete -c leat -n __leat_takes_options -l junit-output -x -a '0 64K 1M' -d 'With so much of the end of its outputs'
complete -c leat -n __leat_takes_options -l results -x -a '(__fish_complete_directories)' -d 'Keep what each task wrote'
complete -c leat -n __leat_takes_options -l pty -d 'Tasks write to terminals of their own'
complete -c leat -n __leat_takes_options -l tty -d 'One task at a time, with the terminal'
complete -c leat -n __leat_takes_options -l dry-run -d 'Print the commands, run nothing'
complete -c leat -n __leat_takes_options -s t -l verbose -d 'Show each command as it starts'
complete -c leat -n __leat_takes_options -l progress -d 'Show how far it is everywhere'
complete -c leat -n __leat_takes_options -l no-progress -d 'Never show how far it is'
complete -c leat -n __leat_takes_options -l color -x -a 'auto always never' -d 'Colours'
complete -c leat -n __leat_takes_options -l journal -r -F -d 'Keep what was run and how it went'
complete -c leat -n __leat_takes_options -l resume -d 'Run what is not done according to the journal'
complete -c leat -n __leat_takes_options -l resume-failed -d 'And what failed'
complete -c leat -n __leat_takes_options -l sync -x -a 'group full off' -d 'When the journal is on the disk'
complete -c leat -n __leat_takes_options -l list -d 'Print the commands in the journal'
complete -c leat -n __leat_takes_options -l show -x -d 'Print what the journal has of a task'
complete -c leat -n __leat_takes_options -l ci -x -a 'auto github gitlab azure none' -d 'Write for the log of a CI service'
complete -c leat -n __leat_takes_options -l recap -d 'The failed tasks once more at the end'
complete -c leat -n __leat_takes_options -l no-recap -d 'Never the failed tasks once more'
complete -c leat -n __leat_takes_options -l unrun -r -F -d 'Write the records that were not run'
complete -c leat -n __leat_takes_options -l summary -d 'Say how it went, also if all is well'
complete -c leat -n __leat_takes_options -s q -l quiet -d 'Say nothing of tasks and how it went'
complete -c leat -n __leat_takes_options -l help -d 'Show the options'
complete -c leat -n __leat_takes_options -l version -d 'Show the version'
