#!/usr/bin/env bats
# --timeline: the page, in a real browser. tests/helpers/browser.py has its words.
load helper

HELPER=$BATS_TEST_DIRNAME/../helpers/browser.py

# One browser for all tests: chromedriver, and a session of it in $BROWSER.
setup_file() {
	local line
	cd "$BATS_FILE_TMPDIR" || return
	BROWSER=
	command -v chromedriver chromium python3 >/dev/null || return 0
	mkfifo words
	chromedriver --port=0 >words 2>&1 3>&- &
	driver=$!
	exec 8<words
	while IFS= read -r -t 30 line <&8 && [[ $line != *"successfully on port "* ]]; do :; done
	cat <&8 >log 3>&- &
	exec 8<&-
	line=${line##*on port }
	BROWSER=$(timeout 50 python3 "$HELPER" start "http://127.0.0.1:${line%%[^0-9]*}")
	export BROWSER driver
}

teardown_file() {
	[ -z "$BROWSER" ] || timeout 30 python3 "$HELPER" end >/dev/null || :
	[ -z "$driver" ] || kill "$driver" || :
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	[ -n "$BROWSER" ] || skip "chromium, chromium-driver or python3 is not installed"
}

# Run the Python on standard input in the browser; then nothing is to have gone wrong there.
page() {
	{ cat && printf '\n%s\n' 'assert not errors(), "an error in the page"'; } |
		timeout 50 python3 "$HELPER"
}

# Four tasks in two slots: two that last, one that fails twice, and one that is quick.
make_page() {
	timeout 30 leat -q -j2 --retries 1 --timeline page.html ::: \
		'sleep 0.6; echo long' 'sleep 0.02; exit 3' 'sleep 0.3; echo last' true >out || :
}

# A page of $1 tasks in four slots, every $2th of which failed.
make_large_page() {
	timeout 30 leat -q --timeline small.html ::: true
	awk -v count="$1" -v every="$2" '
		!/^,\[/ && !/^,{"counts"/ { print; next }
		/^,\[/ { for (n = 1; n <= count; n++) {
			failed = n % every == 0
			printf ",[%d,1,%d,\"%s\",%d,%d,900,300,4096,0,\"%s\",\"make -C module%d check\"]\n", n, n % 4 + 1,
				failed ? "failed" : "ok", int(n / 4) * 1300, 1200, failed ? "exit 2" : "", n } }
		/^,{"counts"/ { printf ",{\"counts\":{\"ok\":%d,\"failed\":%d,\"unrun\":0},\"cut\":false,\"elapsed\":%d,\"exit\":123,\"account\":\"leat: %d tasks in a while: 0 unrun\"}\n",
			count - int(count / every), int(count / every), count * 325 + 1300, count }' small.html >large.html
}

@test "the page opens without an error, asks for nothing but itself, and tells the account" {
	make_page
	page <<'PYTHON'
open_page("page.html")
assert [address.split("/")[-1] for address in requests()] == ["page.html"]
assert js("document.title").startswith("leat: 4 tasks in ") and text("h1").startswith("4 tasks in ")
assert text("#counts").split() == "✓ 3 ok ✕ 1 failed ○ 0 unrun".split(), text("#counts")
assert "2 slots" in text("#facts") and "exit status 123" in text("#facts")
assert text("#line").startswith("leat -q -j2 --retries 1")
PYTHON
}

@test "pointing at a bar shows its command, outcome, times, exit status and memory" {
	make_page
	page <<'PYTHON'
open_page("page.html")
move(bar(1))
told = text("#tip")
for words in ("Task 1", "ok", "sleep 0.6; echo long", "started", "took\n0.6", "CPU\n", "memory\n", "iB", "output\n5 B", "slot\n"):
    assert words in told, (words, told)
move(bar(2, 2))
assert "failed: exit 3" in text("#tip") and "attempt\n2" in text("#tip"), text("#tip")
move(bar(2, 1))
assert "attempt\n1, tried again" in text("#tip"), text("#tip")
move(center("h1"))
assert js("element('tip').hidden")
PYTHON
}

@test "the wheel zooms at the pointer, dragging pans, shift and dragging zooms to a range" {
	make_page
	page <<'PYTHON'
open_page("page.html")
first, last, total = span()
assert first == 0 and last == total
place = bar(3)
at = js("toTime(a0)", place["x"] - js("chart.getBoundingClientRect().left"))
wheel(place, -300)
first, last, _ = span()
assert last - first < total * 0.7 and first > 0
assert abs(js("toTime(a0)", place["x"] - js("chart.getBoundingClientRect().left")) - at) < total / 1000
drag(place, 100)
moved, end, _ = span()
assert moved < first and abs((end - moved) - (last - first)) < 1
wheel(place, 3000)
assert span() == [0, total, total]
hold(SHIFT)
drag(place, 120)
release(SHIFT)
first, last, _ = span()
assert abs((last - first) - total * 120 / js("size.plot")) < 2, (first, last)
click(center("#whole"))
assert span() == [0, total, total]
click(center("#closer"))
assert span()[1] - span()[0] < total
pointer(to(place), DOWN, UP, DOWN, UP)
assert span() == [0, total, total]
PYTHON
}

@test "a click keeps a task: its attempts are listed, its rows marked; escape lets go" {
	make_page
	page <<'PYTHON'
open_page("page.html")
click(bar(2, 2))
assert "Task 2" in text("#chosen") and "sleep 0.02; exit 3" in text("#chosen")
assert js("document.querySelectorAll('#attempts button').length") == 2
assert js("[...document.querySelectorAll('tr.chosen')].every(row => row.cells[0].innerText === '2')")
assert js("document.querySelectorAll('tr.chosen').length") == 2
click(center("#attempts button"))
assert js("attempts.number[chosen.attempt]") == 1 and span()[1] - span()[0] < span()[2]
keys(ESCAPE)
assert js("element('chosen').hidden && !document.querySelector('tr.chosen')")
PYTHON
}

@test "search dims what does not match, counts, and enter goes to the next" {
	make_page
	page <<'PYTHON'
open_page("page.html")
bright = pixel({**bar(1), "y": bar(1)["y"] - 8})
keys("/", *"ECHO")
assert text("#found") == "2 of 4"
found, dim = pixel({**bar(1), "y": bar(1)["y"] - 8}), pixel({**bar(2), "y": bar(2)["y"] - 8})
assert found == bright and bright[3] == 255 and dim[3] < 80, (bright, found, dim)
keys(ENTER)
assert js("tasks.number[attempts.task[chosen.attempt]]") == 1
keys(ENTER)
assert js("tasks.number[attempts.task[chosen.attempt]]") == 3
keys(ENTER)
assert js("tasks.number[attempts.task[chosen.attempt]]") == 1
keys(ESCAPE)
assert text("#found") == "" and pixel({**bar(2), "y": bar(2)["y"] - 8})[3] == 255
keys("/", *"#4")
assert text("#found") == "1 of 4"
keys(ESCAPE)
click(center("#counts [data-outcome='1']"))
assert text("#found") == "1 of 4" and js("document.querySelector('[aria-pressed=true]').dataset.outcome") == "1"
PYTHON
}

@test "keys do all of it: next task, other slot, zoom, pan, next failure" {
	make_page
	page <<'PYTHON'
open_page("page.html")
chosen = lambda: js("chosen.attempt < 0 ? null : [tasks.number[attempts.task[chosen.attempt]], attempts.number[chosen.attempt]]")
slot = lambda: js("attempts.slot[chosen.attempt]")
js("chart.focus()")
keys(RIGHT)
first = chosen()
assert first[0] in (1, 2)
other = slot()
keys(DOWN_KEY if other == 1 else UP_KEY)
assert slot() != other and chosen() != first
keys("f")
assert chosen() == [2, 2]
assert js("document.getElementById('chosen').getAttribute('aria-live')") == "polite"
keys("0")
assert span()[0] == 0 and span()[1] == span()[2]
keys("+")
first, last, total = span()
assert last - first < total
hold(SHIFT)
keys(LEFT)
release(SHIFT)
assert span()[0] < first
keys("-", "-", "-")
assert span()[1] - span()[0] == total
keys(ESCAPE)
assert chosen() is None
PYTHON
}

@test "a row of a table leads to its task, by pointer and by keyboard" {
	make_page
	page <<'PYTHON'
open_page("page.html")
assert text("#failed tbody") .split("\t")[0] == "2" and "exit 3" in text("#failed tbody")
assert text("#slowest tbody").split("\t")[0] == "1"
click(center("#failed tbody tr"))
first, last, total = span()
place = bar(2, 2)
assert last - first < total and "Task 2" in text("#chosen") and place["width"] > 50
js("document.querySelector('#slowest tbody tr').focus()")
keys(ENTER)
assert "Task 1" in text("#chosen")
PYTHON
}

@test "a hostile command is text wherever it is shown" {
	printf '%s\0' ": '</script><script>hacked = 1</script><img src=x onerror=hacked=2> <!-- & &lt;b>'" "exit 1 # <svg onload=hacked=3>" >in
	timeout 30 leat -0 -q -j1 --halt soon,fail=1 --timeline page.html -a in -a <(printf ': <i>unrun</i>\0') 2>err || :
	page <<'PYTHON'
open_page("page.html")
move(bar(2))
assert "<svg onload=hacked=3>" in text("#tip")
click(bar(2))
assert "exit 1 # <svg onload=hacked=3>" in text("#chosen") and "<svg" in text("#failed")
assert ": <i>unrun</i>" in text("#unrun")
first = js("tasks.command[0]")
assert first.startswith(": '</script><script>hacked") and first.endswith("<!-- & &lt;b>'"), first
assert first in text("#slowest")
assert js("typeof hacked") == "undefined" and not js("document.querySelector('#page img, #page svg, #page i, #tip svg')")
PYTHON
}

@test "what is unrun is prominent, counted exactly, and listed with its cause" {
	{ echo false; seq 1500 | sed 's/^/: /'; } >in
	timeout 30 leat -q -j1 --fail-fast --timeline page.html -a in || :
	page <<'PYTHON'
open_page("page.html")
assert "1,500\nunrun" in text("#counts .loud") or "1,500 unrun" in text("#counts .loud")
assert "1,500 in all, the first 1,000 of them" in text("#unrun h2")
assert js("document.querySelectorAll('#unrun tbody tr').length") == 1000 and "halt" in text("#unrun tbody tr")
assert js("document.querySelector('#unrun').offsetTop < document.querySelector('#failed').offsetTop")
PYTHON
}

@test "a run without a task has a page, too" {
	timeout 30 leat --timeline page.html </dev/null
	page <<'PYTHON'
open_page("page.html")
assert text("h1").startswith("0 tasks") and "Nothing was started." in text("#chart")
click({"x": 400, "y": 300})
keys("f", "+", "0", RIGHT, "/", "x", ENTER)
wheel({"x": 400, "y": 300}, -100)
PYTHON
}

@test "the runs of a journal stand beside each other, without the time between them" {
	timeout 30 leat -q -j1 --fail-fast --journal j ::: true 'test -e there' 'echo 3' || :
	touch there
	timeout 30 leat -q -j1 --resume-failed --journal j ::: true 'test -e there' 'echo 3' >out
	sqlite3 j "update runs set started = datetime(started, '+3 days') || '.000000' where run = 2;
		update attempts set started = datetime(started, '+3 days') || '.100000' where run = 2"
	timeout 30 leat --journal j --timeline page.html </dev/null
	page <<'PYTHON'
open_page("page.html")
assert "2 runs" in text("#facts") and text("h1").startswith("3 tasks") and span()[2] < 3600e6
click(bar(3))
assert "1 in run 2" in text("#chosen"), text("#chosen")
PYTHON
}

@test "100,000 tasks open, and none that failed is lost in the crowd" {
	make_large_page 100000 4999
	page <<'PYTHON'
began = time.time()
open_page("large.html")
print(f"# 100,000 tasks: {time.time() - began:.2f} s until all is drawn", file=sys.stderr)
frames = js("(() => { const began = performance.now(); for (let n = 0; n < 20; n++) { show(n * 1e5, total - n * 1e5); draw(); } return (performance.now() - began) / 20; })()")
print(f"# a frame of it: {frames:.1f} ms", file=sys.stderr)
keys("0")
settle()
red = js("""(() => {
    const want = [parseInt(colours.outcome[1].slice(1, 3), 16), parseInt(colours.outcome[1].slice(3, 5), 16)];
    return [...attempts.outcome.keys()].filter(index => attempts.outcome[index] === 1).map(index => {
        const x = Math.round(toX(attempts.start[index])), y = laneTop(attempts.slot[index] - 1) + size.lane - 4;
        const {data} = canvases.bars.getContext("2d").getImageData(x - 2, y, 5, 1);
        return [0, 4, 8, 12, 16].some(at => data[at] === want[0] && data[at + 1] === want[1]);
    });
})()""")
assert len(red) == 20 and all(red), red
keys("/", *"module4999 check")
assert text("#found") == "1 of 100,000"
keys(ENTER)
assert "Task 4999" in text("#chosen") and bar(4999)["width"] > 50
PYTHON
}

@test "all text is readable, whether light or dark is preferred" {
	make_page
	page <<'PYTHON'
parts = ["h1", "h1 ~ p", "#line", "#counts button", "#tools button", "#search", "#keys span", "h2", "h2 small", "th", "td", "td span",
         "footer", "#tip .command", "#tip dt", "#tip dd", "#chosen dt", "#chosen dd", ".swatch"]
grounds = []
for name in ("light", "dark"):
    scheme(name)
    open_page("page.html")
    click(bar(2, 2))
    move(bar(1))
    count, least, where = least_contrast(*parts)
    assert count > 50 and least >= 4.5, (name, least, where)
    grounds.append(js("getComputedStyle(document.body).backgroundColor"))
    assert pixel({**bar(1), "y": bar(1)["y"] - 8})[:3] == js("[1, 3, 5].map(at => parseInt(colours.outcome[0].slice(at, at + 2), 16))")
scheme("light")
assert grounds[0] != grounds[1]
PYTHON
}

@test "print has the chart and the tables, whole, on white, and no buttons" {
	{ for task in {1..40}; do echo "exit 1 # $task"; done; } >in
	timeout 30 leat -q --timeline page.html -a in || :
	page <<'PYTHON'
scheme("dark")
open_page("page.html")
print_page("page.pdf")
assert open("page.pdf", "rb").read().startswith(b"%PDF")
devtools("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
js("dispatchEvent(new Event('beforeprint'))")
seen = "[...document.querySelectorAll(a0)].filter(found => found.getClientRects().length).length"
assert js(seen, "#tools") == 0 and js(seen, "#keys") == 0 and js(seen, "canvas#bars") == 1
assert js("[...document.querySelectorAll('.table')].every(table => table.scrollHeight <= table.clientHeight + 1)")
assert js(seen, "#failed tbody tr") == 40
assert js("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
assert least_contrast("td", "h1", "th")[1] > 4.5
js("dispatchEvent(new Event('afterprint'))")
devtools("Emulation.setEmulatedMedia", media="", features=[])
PYTHON
}

@test "on a telephone nothing sticks out" {
	make_page
	page <<'PYTHON'
open_page("page.html", 360, 740)
assert js("document.documentElement.scrollWidth") <= 360
click(bar(1))
assert js("document.documentElement.scrollWidth") <= 360 and js("element('tip').getBoundingClientRect().right") <= 360
PYTHON
}
