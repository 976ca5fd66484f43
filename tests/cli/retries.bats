#!/usr/bin/env bats
# --retries: a failed task is tried again.
load helper

# A task that is ok from its attempt number $2 on; $1 is its name.
setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cat >flaky <<-'FLAKY'
		echo "$1 attempt $LEAT_ATTEMPT"
		echo "$1 $LEAT_ATTEMPT" >>ran
		[ "$LEAT_ATTEMPT" -ge "$2" ]
	FLAKY
}

@test "--retries N: up to N more attempts, each with its output and a line; the last decides" {
	run leat -j1 --retries 2 < <(printf '%s\n' 'sh flaky a 1' 'sh flaky b 3' 'sh flaky c 4')
	[ "$status" -eq 123 ]
	[ "$(sort ran | tr '\n' ,)" = "a 1,b 1,b 2,b 3,c 1,c 2,c 3," ]
	[ "$(grep -c ' attempt [0-9]$' <<<"$output")" -eq 7 ]
	[[ "$output" == *"leat: task 2: exit 1, attempt 1 of 3, again: sh flaky b 3"* ]]
	[[ "$output" == *"leat: task 2: exit 1, attempt 2 of 3, again: sh flaky b 3"* ]]
	[[ "$output" == *"leat: task 3: exit 1: sh flaky c 4"* ]]
	[[ "${lines[-1]}" == "leat: 3 tasks in "*": 2 ok, 1 failed, 0 unrun" ]]
}

@test "crashed and timed-out tasks are tried again, too; --retry-on chooses" {
	printf '%s\n' 'echo f >>log; exit 3' 'echo g >>log; exit 5' 'echo c >>log; kill -9 $$' 'echo t >>log; sleep 50' >in
	leat -q --timeout 0.3 --retries 1 -a in || :
	[ "$(sort log | uniq -c | awk '{ print $1 $2 }' | tr '\n' ,)" = "2c,2f,2g,2t," ]
	rm log
	leat -q --timeout 0.3 --retries 1 --retry-on 4-9,timeout -a in || :
	[ "$(sort log | uniq -c | awk '{ print $1 $2 }' | tr '\n' ,)" = "1c,1f,2g,2t," ]
	rm log
	leat -q --timeout 0.3 --retries 1 --retry-on 3,crash -a in || :
	[ "$(sort log | uniq -c | awk '{ print $1 $2 }' | tr '\n' ,)" = "2c,2f,1g,1t," ]
}

@test "a task that waits for its next attempt holds no slot" {
	printf '%s\n' 'exit 1' 'touch second' >in
	leat -j1 --retries 1 --retry-delay 1h -a in 2>/dev/null 3>&- &
	leat=$!
	until [ -e second ]; do read -r -t 0.01 _ <> <(:) || :; done
	kill -TERM "$leat"
	wait "$leat" || :
}

@test "a cancellation or the deadline does not wait for a task's next attempt: its end stands" {
	run leat -j1 --retries 3 --retry-delay 1h --deadline 0.3 < <(printf '%s\n' 'exit 1' true)
	[ "$status" -eq 124 ]
	[[ "${lines[-1]}" == *": 1 ok, 1 failed, 0 unrun" ]]
	echo 'exit 4' >in
	start_leat --retries 3 --retry-delay 1h -a in
	next_line
	kill -INT "$leat"
	finish_leat
	[ "$status" -eq 130 ]
	[[ "$rest" == *"1 task in "*": 1 failed, 0 unrun"* ]]
}

@test "--retry-delay doubles, up to --retry-max-delay" {
	run leat --retries 4 --retry-delay 2ms --retry-max-delay 5ms <<<'date +%s%N >>stamps; exit 1'
	[ "$(wc -l <stamps)" -eq 5 ]
	[ "$(awk 'NR > 1 { print ($1 - last >= 1000000) } { last = $1 }' stamps | sort -u)" = 1 ]
}

@test "-k: all attempts' output stands in the task's place" {
	printf '%s\n' 'sh flaky a 3' 'sh flaky b 2' 'sh flaky c 1' 'sh flaky d 3' >in
	leat -k -j2 -q --retries 2 --retry-delay 20ms -a in >out
	[ "$(tr '\n' , <out)" = "a attempt 1,a attempt 2,a attempt 3,b attempt 1,b attempt 2,c attempt 1,d attempt 1,d attempt 2,d attempt 3," ]
}

@test "a lane waits for its task's last attempt" {
	leat -q -j4 --lane {} --retries 3 -c 'echo "$1 $LEAT_SEQ $LEAT_ATTEMPT" >>log; [ "$LEAT_ATTEMPT" = 2 ]' ::: a b a a b
	[ "$(grep ^a log | tr '\n' ,)" = "a 1 1,a 1 2,a 3 1,a 3 2,a 4 1,a 4 2," ]
	[ "$(grep ^b log | tr '\n' ,)" = "b 2 1,b 2 2,b 5 1,b 5 2," ]
}

@test "--halt counts a task once it has failed for good" {
	run leat -j1 --retries 1 --fail-fast < <(printf '%s\n' 'sh flaky a 2' 'sh flaky b 9' 'sh flaky c 1')
	[ "$status" -eq 123 ]
	[[ "${lines[-1]}" == *" 1 failed, "*" unrun" || "${lines[-1]}" == *" 1 ok, 1 failed, "* || "${lines[-1]}" == *" 2 ok, 1 failed, "* ]]
	[ "$(grep -c '^b' ran)" -eq 2 ]
}

@test "many tasks, tried again and again, are each counted once" {
	run leat -j4 --retries 2 --summary < <(for n in $(seq 500); do echo "[ \$LEAT_ATTEMPT -ge $((n % 4 + 1)) ]"; done)
	[[ "${lines[-1]}" == "leat: 500 tasks in "*": 375 ok, 125 failed, 0 unrun" ]]
}

@test "what these options don't take is a usage error" {
	for option in '--retries x' '--retry-on 0' '--retry-on 5-3' '--retry-on 1,' '--retry-on some' '--retry-delay x'; do
		# shellcheck disable=SC2086
		run leat $option <<<true
		[ "$status" -eq 2 ]
	done
}

@test "--results keeps every attempt: the last in the task's place, those before in attempt-N" {
	printf '%s\n' 'echo "out $LEAT_ATTEMPT"; [ "$LEAT_ATTEMPT" = 3 ]' >in
	leat -q --results kept --retries 2 -a in >/dev/null
	[ "$(cat kept/1/attempt-1/stdout kept/1/attempt-2/stdout kept/1/stdout)" = "$(printf 'out %d\n' 1 2 3)" ]
	[ "$(head -n 1 kept/1/attempt-2/outcome)" = failed ]
	[ "$(head -n 1 kept/1/outcome)" = ok ]
	leat --results kept -a - <<<"true"
	[ ! -e kept/1/attempt-1 ] && [ -e kept/1/stdout ]
}

@test "-k: a retry that is given up holds back nobody's output, nor its own" {
	printf '%s\n' 'echo zero' 'echo one; false' 'echo two' 'echo three' >in
	run timeout 60 leat -q -j3 -k --retries 1 --retry-delay 1h --halt soon,success=3 -a in
	[ "$output" = $'zero\none\ntwo\nthree' ]
	run timeout 60 leat -q -j3 -k --retries 1 --retry-delay 1h --deadline 0.5 -a in
	[ "$output" = $'zero\none\ntwo\nthree' ]
}
