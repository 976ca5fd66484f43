# bash completion for leat
# .ci/check-options reads `options` and the labels of the cases.

# The words of $1 that begin with $2.
_leat_words() {
	mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2")
}

_leat_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

# Paths of programs; names in PATH, too, once there is something to go by.
_leat_programs() {
	local name

	compopt -o filenames 2>/dev/null
	if [[ -z $1 ]]; then
		_leat_words "$(grep '^/' /etc/shells 2>/dev/null)" ""
		return
	fi
	while IFS= read -r name; do
		if [[ -d $name ]] || type -P -- "$name" >/dev/null; then
			COMPREPLY+=("$name")
		fi
	done < <(compgen -c -- "$1" | sort -u)
}

_leat() {
	local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}
	local options="-a --arg-file -0 --null -d --delimiter
		-j --jobs -P --shell --timeout --deadline --kill-after --linger
		--on-cancel --drain-timeout
		-k --keep-order --line-buffer -u --ungroup --tag --tagstring --results --pty
		--dry-run -t --verbose --progress --no-progress --color
		--unrun --summary -q --quiet --help --version"

	COMPREPLY=()
	# --name=value is three words where = is among COMP_WORDBREAKS, else one.
	if [[ $current == "=" ]]; then
		current=
	elif [[ $option == "=" ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $current == --*=* ]]; then
		option=${current%%=*}
		current=${current#*=}
	fi
	case $option in
	-a | --arg-file | --unrun)
		_leat_files "$current"
		;;
	--shell)
		_leat_programs "$current"
		;;
	-d | --delimiter)
		_leat_words '\\\\n \\\\t \\\\0 , : \\\;' "$current"
		;;
	-j | --jobs | -P)
		_leat_words "0 1 2 4 8 16 50% 100% +1 -1" "$current"
		;;
	--on-cancel)
		_leat_words "drain terminate" "$current"
		;;
	--color)
		_leat_words "auto always never" "$current"
		;;
	--tagstring)
		_leat_words "{} {#} {%} {/} {.}" "$current"
		;;
	--results)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
		;;
	--timeout | --deadline | --kill-after | --linger | --drain-timeout)
		_leat_words "200ms 1s 5s 10s 30s 1m 5m 30m 1h" "$current"
		;;
	*)
		_leat_words "$options" "$current"
		;;
	esac
}

complete -F _leat leat
