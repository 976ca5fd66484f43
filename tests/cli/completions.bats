#!/usr/bin/env bats
# Completions, by each shell's own machinery.
load helper

ROOT=$BATS_TEST_DIRNAME/../..
COMPLETIONS=$ROOT/completions

# What bash offers for the given words, the last of which is being completed. A word that
# begins with = is a part of the one before.
bash_offers() {
	bash --norc -c '
		source "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		COMP_LINE="$* "
		COMP_LINE=${COMP_LINE// = /=}
		COMP_LINE=${COMP_LINE% }
		_leat || exit
		printf "%s\n" "${COMPREPLY[@]}"' bash "$COMPLETIONS/leat.bash" "$@"
}

# The arguments of the given command line, each with a bar behind, after bash completed
# its end at a Tab, at a terminal; the file $2 is sourced before.
bash_completes() {
	local seen
	command -v script >/dev/null || skip "script is not installed"
	cat >completes.bash <<-BASH
		source ${2:-/dev/null}
		source $COMPLETIONS/leat.bash
		complete -W "special" puppet
		leat() { printf '%s|' go''t:"\$@"; printf '|end\n'; exit; }
		PS1=rea''dy PS2=
	BASH
	coproc { TERM=dumb timeout 30 script -qec "bash --noprofile --rcfile completes.bash -i" /dev/null; } 3>&-
	seen=
	while [[ $seen != *ready ]]; do
		IFS= read -r -n 1 -t 30 -u "${COPROC[0]}" character
		seen+=$character
	done
	printf '%s\t\n' "$1" >&"${COPROC[1]}"
	seen=$(cat <&"${COPROC[0]}")
	seen=${seen##*got:}
	echo "${seen%%|end*}"
}

fish_offers() {
	command -v fish >/dev/null || skip "fish is not installed"
	HOME=$PWD fish --no-config -c "source $COMPLETIONS/leat.fish
		complete -c puppet -f -a special
		complete -C '$1'" | cut -f1
}

# The arguments of the given command line, each with a bar behind, after zsh completed
# its end at a Tab, at a terminal of its own.
zsh_completes() {
	command -v zsh >/dev/null || skip "zsh is not installed"
	cat >completes.zsh <<-'ZSH'
		zmodload zsh/zpty
		zpty z env -u ZDOTDIR TERM=dumb zsh -f -i
		zpty -w z "PS1=; PS2=; unsetopt zle_bracketed_paste prompt_cr prompt_sp; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D; compdef '_arguments \\*:word:\\(special\\)' puppet"
		zpty -w z 'leat() { print -r -- "go""t:${(j:|:)@}|end"; }; print -r -- rea""dy'
		zpty -r -m z seen '*ready*' || exit 1
		zpty -n -w z "$2"$'\t\n'
		zpty -r -m z seen '*got:*\|end*' || exit 1
		print -r -- ${${seen##*got:}%%end*}
		zpty -d z
	ZSH
	HOME=$PWD timeout 30 zsh -f completes.zsh "$COMPLETIONS" "$1" </dev/null
}

# The options in the completed list $output that leat's --help does not have, and others.
differs_from_help() {
	diff <(leat --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -o -e '--[a-z-]*' | sort) \
		<(grep -o -e '^--[a-z-]*' <<<"$output" | sort -u)
}

files() {
	mkdir folder
	: >jobs.txt
	: >'two words.txt'
}

@test "bash: options, all of them" {
	run bash_offers leat --timeo
	[ "$output" = --timeout ]
	run bash_offers leat --
	differs_from_help
	run bash_offers leat --summary --a
	[ "$output" = --arg-file ]
	run bash_offers leat -
	[[ "$output" == *"-P"* ]]
}

@test "bash: values of options, in both ways of writing" {
	run bash_offers leat --on-cancel t
	[ "$output" = terminate ]
	run bash_offers leat --on-cancel = d
	[ "$output" = drain ]
	run bash_offers leat --on-cancel =
	[ "$output" = "drain
terminate" ]
	run bash_offers leat --on-cancel=d
	[ "$output" = drain ]
	run bash_offers leat --jobserver=f
	[ "$output" = fifo ]
	run bash_offers leat --jobserver --summ
	[ "$output" = --summary ]
	for option in --timeout --delay --deadline --kill-after --linger --drain-timeout; do
		run bash_offers leat "$option" 10
		[ "$output" = 10s ]
	done
	for option in -j -P --jobs; do
		run bash_offers leat "$option" 5
		[ "$output" = 50% ]
	done
	run bash_offers leat --timeout 10s --su
	[ "$output" = --summary ]
	run bash_offers leat --stdin r
	[ "$output" = record ]
	run bash_offers leat --trim = l
	[ "$output" = "l
lr" ]
	run bash_offers leat --as = x
	[ "$output" = xargs ]
	run bash_offers leat --seed ''
	[ -z "$output" ]
	NAMED_SO=1 run bash_offers leat --env NAMED_S
	[ "$output" = NAMED_SO= ]
	run bash_offers leat --orphans = k
	[ "$output" = keep ]
	run bash_offers leat --sync f
	[ "$output" = full ]
}

@test "bash: behind --list, outcomes" {
	files
	run bash_offers leat --journal jobs.db --list f
	[ "$output" = failed ]
	run bash_offers leat --journal jobs.db --list failed ti
	[ "$output" = timed-out ]
	run bash_offers leat --list failed --jour
	[ "$output" = --journal ]
	run bash_offers leat --list failed --journal job
	[ "$output" = jobs.txt ]
	run bash_offers leat puppet --list ti
	[ -z "$output" ]
}

@test "bash: the command, wherever it begins, and what follows" {
	files
	cp "$(command -v puppet)" my-program
	PATH=$PWD:$PATH
	for options in "" "-j 2" "-kj2" "-kj 2" "--jobs = 2" "--env = A = b" "--env A" -X -- "-k --" \
		"< jobs.txt" "--as xargs" "--as = parallel -j 2" "--as xargs -i" "--as xargs -I {}"; do
		read -r -a words <<<"leat $options"
		run bash_offers "${words[@]}" my-
		[ "$output" = my-program ]
		run bash_offers "${words[@]}" my-program job
		[ "$output" = jobs.txt ]
		run bash_offers "${words[@]}" my-program --ti
		[ -z "$output" ]
	done
	run bash_offers leat ./my-
	[ "$output" = ./my-program ]
	run bash_offers leat -c 'my-program' my-
	[ -z "$output" ]
	for separator in ::: :::: :::+; do
		run bash_offers leat -c my-program "$separator" job
		[ "$output" = jobs.txt ]
	done
}

@test "bash: the options of leat as another tool" {
	run bash_offers leat --as xargs --show
	[ "$output" = --show-limits ]
	run bash_offers leat --as xargs --k
	[ "$output" = --keep-order ]
	run bash_offers leat --as = parallel --xap
	[ "$output" = --xapply ]
	files
	run bash_offers leat --as xargs -a job
	[ "$output" = jobs.txt ]
	run bash_offers leat --as parallel --wd ''
	[ "$output" = folder ]
}

@test "bash: at a terminal" {
	files
	run bash_completes 'leat --on-cancel=ter'
	[ "$output" = "--on-cancel=terminate|" ]
	run bash_completes 'leat -d: --chdir fol'
	[ "$output" = "-d:|--chdir|folder/|" ]
	: >a:b=c.txt
	run bash_completes 'leat --unrun=a:b=c'
	[ "$output" = "--unrun=a:b=c.txt|" ]
	run bash_completes 'leat -a jobs.txt -j2 pupp'
	[ "$output" = "-a|jobs.txt|-j2|puppet|" ]
	run bash_completes 'leat --env=A=b <jobs.txt puppet tw'
	[ "$output" = "--env=A=b|puppet|two words.txt|" ]
	run bash_completes 'leat puppet ::: job'
	[ "$output" = "puppet|:::|jobs.txt|" ]
	run bash_completes 'leat puppet :::: a :::+ job'
	[ "$output" = "puppet|::::|a|:::+|jobs.txt|" ]
}

@test "bash: a command's own completion, with bash-completion loaded" {
	loader=/usr/share/bash-completion/bash_completion
	[ -e "$loader" ] || skip "bash-completion is not installed"
	run bash_completes 'leat --env=A=b -j 2 puppet spe' "$loader"
	[ "$output" = "--env=A=b|-j|2|puppet|special|" ]
	run bash_completes 'leat --as xargs -n 2 puppet one spe' "$loader"
	[ "$output" = "--as|xargs|-n|2|puppet|one|special|" ]
}

@test "bash: files, also with blanks in their names" {
	files
	for option in -a --arg-file --unrun; do
		run bash_offers leat "$option" job
		[ "$output" = jobs.txt ]
	done
	for option in --chdir --results; do
		run bash_offers leat "$option" ''
		[ "$output" = folder ]
	done
	run bash_offers leat -a two
	[ "$output" = "two words.txt" ]
	run bash_offers leat --unrun = fol
	[ "$output" = folder ]
}

@test "bash: programs, by name and by path" {
	printf '#!/bin/sh\n' >my-shell
	chmod +x my-shell
	: >my-text
	run bash_offers leat --shell ./my-
	[ "$output" = ./my-shell ]
	PATH=$PWD:$PATH run bash_offers leat --shell my-
	[ "$output" = my-shell ]
}

@test "bash: delimiters, quoted so that leat gets what it takes" {
	run bash_offers leat -d ''
	[ "${#lines[@]}" -ge 3 ]
	for delimiter in "${lines[@]}"; do
		eval "leat -d $delimiter" </dev/null
	done
	eval "value=${lines[0]}"
	[ "$value" = '\n' ]
	run bash_offers leat -C ''
	eval "value=${lines[0]}"
	[ "$value" = '\t' ]
}

@test "bash: with bash-completion loaded, as installed" {
	loader=/usr/share/bash-completion/bash_completion
	[ -e "$loader" ] || skip "bash-completion is not installed"
	mkdir -p data/bash-completion/completions
	cp "$COMPLETIONS/leat.bash" data/bash-completion/completions/leat
	run env BASH_COMPLETION_USER_DIR="$PWD/data/bash-completion" bash --norc -c '
		source "$1"
		if declare -F _comp_load >/dev/null; then _comp_load leat; else __load_completion leat; fi
		complete -p leat
		COMP_LINE="leat --on-cancel=t" COMP_WORDS=(leat --on-cancel = t) COMP_CWORD=3
		_leat
		echo "${COMPREPLY[@]}"' bash "$loader"
	[ "$output" = "complete -F _leat leat
terminate" ]
}

@test "fish: options, all of them" {
	run fish_offers 'leat --timeo'
	[ "$output" = --timeout ]
	run fish_offers 'leat --'
	differs_from_help
	run fish_offers 'leat --summary --as'
	[ -z "$output" ]
}

@test "fish: values of options, in both ways of writing" {
	run fish_offers 'leat --on-cancel '
	[ "$output" = "drain
terminate" ]
	run fish_offers 'leat --on-cancel=d'
	[ "$output" = --on-cancel=drain ]
	run fish_offers 'leat --jobserver=f'
	[ "$output" = --jobserver=fifo ]
	for option in --timeout --delay --deadline --kill-after --linger --drain-timeout; do
		run fish_offers "leat $option 10"
		[ "$output" = 10s ]
	done
	for option in -j -P --jobs; do
		run fish_offers "leat $option 5"
		[ "$output" = 50% ]
	done
	run fish_offers 'leat -d '
	[[ $'\n'"$output"$'\n' == *$'\n\\n\n'* ]]
	run fish_offers 'leat -C '
	[[ $'\n'"$output"$'\n' == *$'\n\\t\n'* ]]
	run fish_offers 'leat --stdin r'
	[[ "$output" == record* ]]
	run fish_offers 'leat --trim '
	[ "$output" = "l
lr
n
r" ]
	run fish_offers 'leat --as=x'
	[ "$output" = --as=xargs ]
	run fish_offers 'leat --seed '
	[ -z "$output" ]
	NAMED_SO=1 run fish_offers 'leat --env NAMED_S'
	[ "$output" = NAMED_SO= ]
	run fish_offers 'leat --orphans k'
	[ "$output" = keep ]
	run fish_offers 'leat --sync f'
	[ "$output" = full ]
}

@test "fish: behind --list, outcomes" {
	files
	run fish_offers 'leat --journal jobs.db --list f'
	[ "$output" = failed ]
	run fish_offers 'leat --journal jobs.db --list failed ti'
	[ "$output" = timed-out ]
	run fish_offers 'leat --list failed --jour'
	[ "$output" = --journal ]
	run fish_offers 'leat --list failed --journal job'
	[ "$output" = jobs.txt ]
	run fish_offers 'leat puppet --list spe'
	[ "$output" = special ]
}

@test "fish: files and programs where they belong, and nowhere else" {
	files
	for option in -a --arg-file --unrun; do
		run fish_offers "leat $option job"
		[ "$output" = jobs.txt ]
	done
	run fish_offers 'leat -k job'
	[ -z "$output" ]
	printf '#!/bin/sh\n' >my-shell
	chmod +x my-shell
	run fish_offers 'leat --shell ./my-'
	[ "$output" = ./my-shell ]
	for option in --chdir --results; do
		run fish_offers "leat $option "
		[ "$output" = folder/ ]
	done
}

@test "fish: the command, wherever it begins, and what follows" {
	files
	for options in "" "-j 2" "-kj2" "-kj 2" --jobs=2 "--env A=b" -X -- "-k --" "<jobs.txt" "< jobs.txt" \
		"--as xargs" "--as=parallel -j 2" "--as xargs -i" "--as xargs -I {}"; do
		run fish_offers "leat $options puppe"
		[ "$output" = puppet ]
		run fish_offers "leat $options puppet spe"
		[ "$output" = special ]
		run fish_offers "leat $options puppet --ti"
		[ -z "$output" ]
		run fish_offers "leat $options puppet ::: job"
		[ "$output" = jobs.txt ]
		run fish_offers "leat $options puppet \"two words.txt\" spe"
		[ "$output" = special ]
	done
	run fish_offers 'leat ./fol'
	[ "$output" = ./folder/ ]
	run fish_offers 'leat -c "puppet pass" puppe'
	[ -z "$output" ]
	run fish_offers 'leat -c "puppet pass" :::: job'
	[ "$output" = jobs.txt ]
}

@test "fish: the options of leat as another tool" {
	run fish_offers 'leat --as xargs --show'
	[ "$output" = --show-limits ]
	run fish_offers 'leat --as xargs --k'
	[ "$output" = --keep-order ]
	run fish_offers 'leat --as=parallel --xap'
	[ "$output" = --xapply ]
	files
	run fish_offers 'leat --as xargs -a job'
	[ "$output" = jobs.txt ]
}

@test "zsh: options" {
	run zsh_completes 'leat --drai'
	[ "$output" = "--drain-timeout|" ]
	run zsh_completes 'leat -u --unr'
	[ "$output" = "-u|--unrun|" ]
	run zsh_completes 'leat --hel'
	[ "$output" = "--help|" ]
}

@test "zsh: values of options, in both ways of writing" {
	run zsh_completes 'leat --on-cancel ter'
	[ "$output" = "--on-cancel|terminate|" ]
	run zsh_completes 'leat --on-cancel=dr'
	[ "$output" = "--on-cancel=drain|" ]
	run zsh_completes 'leat --jobserver=f'
	[ "$output" = "--jobserver=fifo|" ]
	run zsh_completes 'leat --timeout 2'
	[ "$output" = "--timeout|200ms|" ]
	run zsh_completes 'leat -j 5'
	[ "$output" = "-j|50%|" ]
	run zsh_completes 'leat -P10'
	[ "$output" = "-P100%|" ]
	run zsh_completes 'leat --delay 2'
	[ "$output" = "--delay|200ms|" ]
	run zsh_completes 'leat --stdin=rec'
	[ "$output" = "--stdin=record|" ]
	run zsh_completes 'leat --as par'
	[ "$output" = "--as|parallel|" ]
	NAMED_SO=1 run zsh_completes 'leat --env NAMED_S'
	[ "$output" = "--env|NAMED_SO=|" ]
	run zsh_completes 'leat --orphans=k'
	[ "$output" = "--orphans=keep|" ]
	run zsh_completes 'leat --sync f'
	[ "$output" = "--sync|full|" ]
}

@test "zsh: behind --list, outcomes" {
	files
	run zsh_completes 'leat --journal jobs.db --list f'
	[ "$output" = "--journal|jobs.db|--list|failed|" ]
	run zsh_completes 'leat --list failed ti'
	[ "$output" = "--list|failed|timed-out|" ]
	run zsh_completes 'leat puppet --list spe'
	[ "$output" = "puppet|--list|special|" ]
}

@test "zsh: files and programs" {
	files
	run zsh_completes 'leat -a job'
	[ "$output" = "-a|jobs.txt|" ]
	run zsh_completes 'leat -j2 --unrun=two'
	[ "$output" = "-j2|--unrun=two words.txt|" ]
	printf '#!/bin/sh\n' >my-shell
	chmod +x my-shell
	run zsh_completes 'leat --shell ./my-'
	[ "$output" = "--shell|./my-shell|" ]
	run zsh_completes 'leat --chdir f'
	[ "$output" = "--chdir|folder|" ]
}

@test "zsh: the command, wherever it begins, and what follows" {
	files
	run zsh_completes 'leat puppe'
	[ "$output" = "puppet|" ]
	run zsh_completes 'leat -kj 2 puppe'
	[ "$output" = "-kj|2|puppet|" ]
	run zsh_completes 'leat -k -- puppe'
	[ "$output" = "-k|--|puppet|" ]
	run zsh_completes 'leat --jobs=2 <jobs.txt puppet spe'
	[ "$output" = "--jobs=2|puppet|special|" ]
	run zsh_completes 'leat -X puppet --ti'
	[ "$output" = "-X|puppet|--ti|" ]
	run zsh_completes 'leat puppet :::+ job'
	[ "$output" = "puppet|:::+|jobs.txt|" ]
	run zsh_completes 'leat -c "puppet pass" puppe'
	[ "$output" = "-c|puppet pass|puppe|" ]
	run zsh_completes 'leat -c "puppet pass" :::: job'
	[ "$output" = "-c|puppet pass|::::|jobs.txt|" ]
}

@test "zsh: leat as another tool" {
	files
	run zsh_completes 'leat --as xargs --show'
	[ "$output" = "--as|xargs|--show-limits|" ]
	run zsh_completes 'leat --as=parallel --xap'
	[ "$output" = "--as=parallel|--xapply|" ]
	run zsh_completes 'leat --as xargs --arg-file=job'
	[ "$output" = "--as|xargs|--arg-file=jobs.txt|" ]
	run zsh_completes 'leat --as xargs -i puppe'
	[ "$output" = "--as|xargs|-i|puppet|" ]
	run zsh_completes 'leat --as=parallel -j 2 puppet spe'
	[ "$output" = "--as=parallel|-j|2|puppet|special|" ]
}

@test "an option that a page or a completion lacks, or leat does not know, is named" {
	for file in man/leat.1 completions/leat.bash completions/_leat completions/leat.fish; do
		rm -rf copy
		mkdir -p copy/.ci
		cp "$ROOT/.ci/check-options" copy/.ci/
		cp -r "$ROOT/man" "$ROOT/completions" copy/
		copy/.ci/check-options "$BUILD/leat"
		sed -i 's/linger/longer/' "copy/$file"
		run copy/.ci/check-options "$BUILD/leat"
		[ "$status" -eq 1 ]
		[[ "$output" == *"$file lacks --linger"* ]]
		[[ "$output" == *"$file has --longer"* ]]
	done
}
