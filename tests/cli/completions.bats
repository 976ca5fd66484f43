#!/usr/bin/env bats
# Completions, by each shell's own machinery.
load helper

COMPLETIONS=$BATS_TEST_DIRNAME/../../completions

# What bash offers for the given words, the last of which is being completed.
bash_offers() {
	bash --norc -c '
		source "$1"
		shift
		COMP_WORDS=("$@")
		COMP_CWORD=$(($# - 1))
		_leat 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' bash "$COMPLETIONS/leat.bash" "$@"
}

fish_offers() {
	command -v fish >/dev/null || skip "fish is not installed"
	HOME=$PWD fish --no-config -c "source $COMPLETIONS/leat.fish; complete -C '$1'" | cut -f1
}

# What zsh lists after Tab at the end of the given line, at a terminal of its own.
zsh_offers() {
	command -v zsh >/dev/null || skip "zsh is not installed"
	cat >offers.zsh <<-'ZSH'
		zmodload zsh/zpty
		zpty z zsh -f -i
		zpty -w z "PS1=; PROMPT2=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
		zpty -w z "zstyle ':completion:*' list-prompt ''; LISTMAX=0; unsetopt auto_menu; bindkey '^T' list-choices"
		zpty -w z "print re''ady"
		zpty -r z seen '*ready*'
		zpty -n -w z "$2"$'\C-t'
		zpty -r -m z seen "*$3*" && print found
		zpty -d z
	ZSH
	timeout 30 zsh -f offers.zsh "$COMPLETIONS" "$1" "$2"
}

@test "bash: options" {
	run bash_offers leat --ti
	[ "$output" = --timeout ]
}

@test "bash: values of options, in both ways of writing" {
	run bash_offers leat --on-cancel t
	[ "$output" = terminate ]
	run bash_offers leat --on-cancel = d
	[ "$output" = drain ]
	run bash_offers leat --timeout 10
	[ "$output" = 10s ]
	run bash_offers leat -j 5
	[ "$output" = 50% ]
	: >jobs.txt
	run bash_offers leat -a job
	[ "$output" = jobs.txt ]
	run bash_offers leat --shell bas
	[[ "$output" == *bash* ]]
}

@test "fish: options and values" {
	run fish_offers 'leat --ti'
	[ "$output" = --timeout ]
	run fish_offers 'leat --on-cancel '
	[ "$output" = "drain
terminate" ]
	: >jobs.txt
	run fish_offers 'leat -a job'
	[ "$output" = jobs.txt ]
}

@test "zsh: options and values" {
	run zsh_offers 'leat --on-cancel ' terminate
	[[ "$output" == *found* ]]
	run zsh_offers 'leat --' drain-timeout
	[[ "$output" == *found* ]]
}
