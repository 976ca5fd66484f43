#!/usr/bin/env bats
# Completions, by each shell's own machinery.
load helper

ROOT=$BATS_TEST_DIRNAME/../..
COMPLETIONS=$ROOT/completions

# What bash offers for the given words, the last of which is being completed.
bash_offers() {
	bash --norc -c '
		source "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_leat || exit
		printf "%s\n" "${COMPREPLY[@]}"' bash "$COMPLETIONS/leat.bash" "$@"
}

fish_offers() {
	command -v fish >/dev/null || skip "fish is not installed"
	HOME=$PWD fish --no-config -c "source $COMPLETIONS/leat.fish; complete -C '$1'" | cut -f1
}

# The arguments of the given command line, each with a bar behind, after zsh completed
# its end at a Tab, at a terminal of its own.
zsh_completes() {
	command -v zsh >/dev/null || skip "zsh is not installed"
	cat >completes.zsh <<-'ZSH'
		zmodload zsh/zpty
		zpty z env -u ZDOTDIR TERM=dumb zsh -f -i
		zpty -w z "PS1=; PS2=; unsetopt zle_bracketed_paste prompt_cr prompt_sp; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
		zpty -w z 'leat() { print -r -- "go""t:${(j:|:)@}|:"; }; print -r -- rea""dy'
		zpty -r -m z seen '*ready*' || exit 1
		zpty -n -w z "$2"$'\t\n'
		zpty -r -m z seen '*got:*\|:*' || exit 1
		print -r -- ${${seen##*got:}%%:*}
		zpty -d z
	ZSH
	HOME=$PWD timeout 30 zsh -f completes.zsh "$COMPLETIONS" "$1" </dev/null
}

# The options in the completed list $output that leat's --help does not have, and others.
differs_from_help() {
	diff <(leat --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -o -e '--[a-z-]*' | sort) \
		<(sort -u <<<"$output")
}

files() {
	mkdir folder
	: >jobs.txt
	: >'two words.txt'
}

@test "bash: options, all of them" {
	run bash_offers leat --ti
	[ "$output" = --timeout ]
	run bash_offers leat --summary --
	differs_from_help
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
	for option in --timeout --deadline --kill-after --linger --drain-timeout; do
		run bash_offers leat "$option" 10
		[ "$output" = 10s ]
	done
	for option in -j -P --jobs; do
		run bash_offers leat "$option" 5
		[ "$output" = 50% ]
	done
	run bash_offers leat --timeout 10s --su
	[ "$output" = --summary ]
}

@test "bash: files, also with blanks in their names" {
	files
	for option in -a --arg-file --unrun; do
		run bash_offers leat "$option" job
		[ "$output" = jobs.txt ]
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
		COMP_WORDS=(leat --on-cancel = t) COMP_CWORD=3
		_leat
		echo "${COMPREPLY[@]}"' bash "$loader"
	[ "$output" = "complete -F _leat leat
terminate" ]
}

@test "fish: options, all of them" {
	run fish_offers 'leat --ti'
	[ "$output" = --timeout ]
	run fish_offers 'leat --'
	differs_from_help
}

@test "fish: values of options, in both ways of writing" {
	run fish_offers 'leat --on-cancel '
	[ "$output" = "drain
terminate" ]
	run fish_offers 'leat --on-cancel=d'
	[ "$output" = --on-cancel=drain ]
	for option in --timeout --deadline --kill-after --linger --drain-timeout; do
		run fish_offers "leat $option 10"
		[ "$output" = 10s ]
	done
	for option in -j -P --jobs; do
		run fish_offers "leat $option 5"
		[ "$output" = 50% ]
	done
	run fish_offers 'leat -d '
	[[ $'\n'"$output"$'\n' == *$'\n\\n\n'* ]]
}

@test "fish: files and programs where they belong, and nowhere else" {
	files
	for option in -a --arg-file --unrun; do
		run fish_offers "leat $option job"
		[ "$output" = jobs.txt ]
	done
	run fish_offers 'leat job'
	[ -z "$output" ]
	printf '#!/bin/sh\n' >my-shell
	chmod +x my-shell
	run fish_offers 'leat --shell ./my-'
	[ "$output" = ./my-shell ]
}

@test "zsh: options" {
	run zsh_completes 'leat --drai'
	[ "$output" = "--drain-timeout|" ]
	run zsh_completes 'leat -u --unr'
	[ "$output" = "-u|--unrun|" ]
	run zsh_completes 'leat --he'
	[ "$output" = "--help|" ]
}

@test "zsh: values of options, in both ways of writing" {
	run zsh_completes 'leat --on-cancel ter'
	[ "$output" = "--on-cancel|terminate|" ]
	run zsh_completes 'leat --on-cancel=dr'
	[ "$output" = "--on-cancel=drain|" ]
	run zsh_completes 'leat --timeout 2'
	[ "$output" = "--timeout|200ms|" ]
	run zsh_completes 'leat -j 5'
	[ "$output" = "-j|50%|" ]
	run zsh_completes 'leat -P10'
	[ "$output" = "-P100%|" ]
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
