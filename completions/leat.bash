# bash completion for leat

_leat_durations() {
	COMPREPLY=($(compgen -W "1s 10s 30s 1m 5m 30m 1h" -- "$1"))
}

_leat() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local name=$previous

	COMPREPLY=()
	# --name=value arrives as three words, where = is among the word breaks.
	if [[ $current == "=" ]]; then
		current=
	elif [[ $previous == "=" ]]; then
		name=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $current == --*=* ]]; then
		name=${current%%=*}
		current=${current#*=}
	fi
	case $name in
	-a | --arg-file | --unrun)
		compopt -o filenames 2>/dev/null
		COMPREPLY=($(compgen -f -- "$current"))
		;;
	--shell) COMPREPLY=($(compgen -c -- "$current")) ;;
	--on-cancel) COMPREPLY=($(compgen -W "drain terminate" -- "$current")) ;;
	--timeout | --deadline | --kill-after | --linger | --drain-timeout)
		_leat_durations "$current"
		;;
	-j | -P | --jobs) COMPREPLY=($(compgen -W "0 1 2 4 8 16 50% 100% +1 -1" -- "$current")) ;;
	-d | --delimiter) COMPREPLY=($(compgen -W '\\n \\t \\0 , : \;' -- "$current")) ;;
	*)
		COMPREPLY=($(compgen -W "-a --arg-file -0 --null -d --delimiter -j --jobs -P
			--shell --timeout --deadline --kill-after --linger --on-cancel
			--drain-timeout -u --ungroup --unrun --summary -q --quiet --help
			--version" -- "$current"))
		;;
	esac
}

complete -F _leat leat
