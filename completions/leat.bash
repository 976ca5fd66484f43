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

_leat_directories() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -d -- "$1")
}

# Names in PATH and paths of programs.
_leat_programs() {
	local name

	compopt -o filenames 2>/dev/null
	while IFS= read -r name; do
		if [[ -d $name ]] || type -P -- "$name" >/dev/null; then
			COMPREPLY+=("$name")
		fi
	done < <(compgen -c -- "$1" | sort -u)
}

_leat_durations() {
	_leat_words "200ms 1s 5s 10s 30s 1m 5m 30m 1h" "$1"
}

# COMP_WORDS as leat gets them, into words: bash also breaks them at = and : and the like.
# The number of the first part of each is in starts.
_leat_join() {
	local line=$COMP_LINE index word

	for ((index = 0; index <= COMP_CWORD; index++)); do
		word=${COMP_WORDS[index]}
		if [[ $index == 0 || $line == [[:blank:]]* || ${words[-1]} == *[\<\>\&] ]]; then
			words+=("$word")
			starts+=("$index")
		else
			words[-1]+=$word
		fi
		line=${line#"${line%%[![:blank:]]*}"}
		line=${line#"$word"}
	done
}

# From --help, behind $@ (--as TOOL), into takes: each option, and the name of its value.
# A value that may be left out is never a word of its own.
_leat_read_help() {
	local line option value
	local pattern='^ +(-[[:alnum:]])?,? *(--[a-z-]+)?( ([A-Z:][A-Z=]*))? '

	while IFS= read -r line; do
		[[ $line =~ ^\ +- && $line =~ $pattern ]] || continue
		value=${BASH_REMATCH[4]}
		[[ $line != *"; without "* ]] || value=
		for option in "${BASH_REMATCH[@]:1:2}"; do
			[[ -z $option ]] || takes[$option]=$value
		done
	done < <(command leat "$@" --help 2>/dev/null)
}

# Go from word `at` to the command, or to the last word. If that is the value of an option,
# it comes into option and current; dashes: the command may begin with one; list: words
# are outcomes.
_leat_walk() {
	local word name

	for (( ; at < last; at++)); do
		word=${words[at]}
		name=${word%%=*}
		case $word in
		--)
			dashes=true
			((at++))
			return
			;;
		--*=*)
			;;
		-[!-]*)
			word=${word#-}
			while [[ -n ${word:1} && -z ${takes[-${word::1}]-} ]]; do
				word=${word:1}
			done
			name=-${word::1}
			if [[ -z ${word:1} && -n ${takes[$name]-} ]]; then
				option=$name
			fi
			;;
		--*)
			if [[ -n ${takes[$word]-} ]]; then
				option=$word
			fi
			;;
		*[\<\>\&])
			option="<"
			;;
		*)
			if [[ -z $list ]]; then
				return
			fi
			;;
		esac
		if [[ $name == -c || $name == --script ]]; then
			script=true
		elif [[ $name == --list && -z ${as[0]-} ]]; then
			list=true
		fi
		if [[ -n $option ]] && ((++at < last)); then
			option=
		fi
	done
}

# The command's name at word `at`, its arguments, or values behind ::: and the like.
_leat_command() {
	local word offset

	if [[ -n $list ]]; then
		_leat_words "ok failed crashed timed-out canceled unrun in-flight" "$current"
		return
	fi
	for word in "${words[@]:at:last-at}"; do
		if [[ $word == :::?(:)?(+) ]]; then
			_leat_files "$current"
			return
		fi
	done
	if [[ -n $script ]]; then
		return
	fi
	if ((at == last)); then
		_leat_programs "$current"
		return
	fi
	# of bash-completion
	for offset in _comp_command_offset _command_offset; do
		if declare -F "$offset" >/dev/null; then
			"$offset" "${starts[at]}"
			part=$current
			return
		fi
	done
	_leat_files "$current"
}

# The value of an option of leat as another tool.
_leat_tool_value() {
	case ${takes[$option]-} in
	FILE)
		_leat_files "$current"
		;;
	DIR)
		_leat_directories "$current"
		;;
	DUR)
		_leat_durations "$current"
		;;
	esac
}

_leat_value() {
	case $option in
	-a | --arg-file | --unrun | --journal | --joblog | --events | --junit | --timeline)
		_leat_files "$current"
		;;
	--junit-output)
		_leat_words "0 64K 1M" "$current"
		;;
	--shell)
		# names in PATH once there is something to go by
		if [[ -n $current ]]; then
			_leat_programs "$current"
		else
			_leat_words "$(grep '^/' /etc/shells 2>/dev/null)" ""
		fi
		;;
	-d | --delimiter)
		_leat_words '\\\\n \\\\t \\\\0 , : \\\;' "$current"
		;;
	-C | --colsep)
		_leat_words '\\\\t , : \\\;' "$current"
		;;
	--trim)
		_leat_words "n l r lr" "$current"
		;;
	-j | --jobs | -P)
		_leat_words "0 1 2 4 8 16 50% 100% +1 -1" "$current"
		;;
	--jobserver)
		_leat_words "pipe fifo" "$current"
		;;
	--as)
		_leat_words "xargs parallel" "$current"
		;;
	--stdin)
		_leat_words "null inherit record" "$current"
		;;
	--env)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -e -S = -- "$current")
		;;
	--retries)
		;;
	--retry-delay | --retry-max-delay)
		_leat_durations "$current"
		;;
	--retry-on)
		_leat_words "timeout crash 1" "$current"
		;;
	--halt)
		_leat_words "soon,fail=1 now,fail=1 soon,fail=10% soon,success=1 never" "$current"
		;;
	--on-cancel)
		_leat_words "drain terminate" "$current"
		;;
	--orphans)
		_leat_words "end keep" "$current"
		;;
	--sync)
		_leat_words "group full off" "$current"
		;;
	--ci)
		_leat_words "auto github gitlab azure none" "$current"
		;;
	--color)
		_leat_words "auto always never" "$current"
		;;
	--tagstring)
		_leat_words "{} {#} {%} {/} {.}" "$current"
		;;
	--max-load)
		_leat_words "50% 100% 200%" "$current"
		;;
	--min-memory)
		_leat_words "500M 1G 2G 4G 10% 20%" "$current"
		;;
	--max-pressure)
		_leat_words "cpu=50 memory=10 io=50" "$current"
		;;
	--lane)
		_leat_words "{} {/} {//} {.}" "$current"
		;;
	--chdir | --results)
		_leat_directories "$current"
		;;
	--timeout | --delay | --deadline | --kill-after | --linger | --drain-timeout)
		_leat_durations "$current"
		;;
	-c | --script | -I | --replace | -n | --max-args | -s | --max-chars | --seed | --show)
		;;
	esac
}

_leat() {
	local options="-a --arg-file -0 --null -d --delimiter
		-C --colsep --header --trim --link --shuf --seed
		-c --script -I --replace -n --max-args -X --fill -s --max-chars --as
		-j --jobs -P --jobserver --shell --warm --timeout --delay --max-load --min-memory --max-pressure --lane --stdin --chdir --env
		--deadline --kill-after --linger --retries --retry-delay --retry-max-delay --retry-on --halt --fail-fast --on-cancel --drain-timeout --orphans
		-k --keep-order --line-buffer -u --ungroup --tag --tagstring --results --pty --tty
		--dry-run -t --verbose --progress --no-progress --color
		--journal --resume --resume-failed --sync --list --show --joblog --events
		--timeline --junit --junit-output --ci
		--unrun --recap --no-recap --summary -q --quiet --help --version"
	local words=() starts=() as=() at=1 last current part option="" dashes="" script="" list=""
	local -A takes=()

	COMPREPLY=()
	_leat_join
	last=$((${#words[@]} - 1))
	current=${words[last]}
	part=${COMP_WORDS[COMP_CWORD]}
	if [[ $part == [=:]* ]]; then
		part=
	fi
	if [[ ${words[1]} == --as=* && $last -gt 1 ]]; then
		at=2
	elif [[ ${words[1]} == --as && $last -gt 2 ]]; then
		at=3
	fi
	as=("${words[@]:1:at-1}")
	_leat_read_help "${as[@]}"
	_leat_walk
	if [[ $at == "$last" && -z $dashes && $current == --*=* ]]; then
		option=${current%%=*}
		current=${current#*=}
	fi
	if [[ $option == "<" ]]; then
		_leat_files "$current"
	elif [[ -n $option && -n ${as[0]-} ]]; then
		_leat_tool_value
	elif [[ -n $option ]]; then
		_leat_value
	elif [[ $at -lt $last || -n $dashes || $current != -* ]]; then
		_leat_command
	elif [[ -n ${as[0]-} ]]; then
		_leat_words "${!takes[*]}" "$current"
	elif [[ $last == 1 ]]; then
		_leat_words "$options" "$current"
	else
		_leat_words "${options/ --as/}" "$current"
	fi
	# Of a word that bash breaks, it replaces the last part.
	if ((${#current} > ${#part})); then
		COMPREPLY=("${COMPREPLY[@]#"${current::${#current}-${#part}}"}")
	fi
}

complete -F _leat leat
