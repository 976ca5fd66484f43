// What of the run is shown, and which task is chosen: by pointer, wheel and keys.
const LEAST_SPAN = 20, EASE_MS = 180;
const isCalm = matchMedia("(prefers-reduced-motion: reduce)");
let easing = 0;

function show(from, to) {
	const span = Math.min(Math.max(to - from, LEAST_SPAN), total);

	view.from = Math.min(Math.max(from + (to - from - span) / 2, 0), total - span);
	view.to = view.from + span;
	redraw();
}

// The same, but so that one sees where it goes.
function glide(from, to) {
	const begin = performance.now(), was = {...view};

	cancelAnimationFrame(easing);
	if (isCalm.matches) {
		show(from, to);
		return;
	}
	easing = requestAnimationFrame(function step(now) {
		const done = Math.min(Math.max(now - begin, 0) / EASE_MS, 1), part = 1 - (1 - done) ** 3;

		show(was.from + (from - was.from) * part, was.to + (to - was.to) * part);
		easing = done < 1 ? requestAnimationFrame(step) : 0;
	});
}

function zoom(factor, at = (view.from + view.to) / 2) {
	cancelAnimationFrame(easing);
	show(at - (at - view.from) * factor, at + (view.to - at) * factor);
}

function pan(part) {
	const by = (view.to - view.from) * part;

	show(view.from + by, view.to + by);
}

const showWhole = () => glide(0, total);
const isWhole = () => view.to - view.from >= total;

// Have it in view, and, if `closer`, be wide enough to be seen.
function reveal(index, closer) {
	const start = attempts.start[index], length = Math.max(attempts.end[index] - start, 1);
	const top = (attempts.slot[index] - 1) * size.lane;
	let span = view.to - view.from;

	if (!attempts.slot[index])
		return;
	if (closer)
		span = Math.min(Math.max(length * 4, LEAST_SPAN * 4), total);
	if (closer || start < view.from || attempts.end[index] > view.to)
		glide(start + length / 2 - span / 2, start + length / 2 + span / 2);
	if (top < scroller.scrollTop || top + size.lane > scroller.scrollTop + size.shown)
		scroller.scrollTop = top - size.shown / 2;
}

function choose(index, {closer = false, quietly = false} = {}) {
	chosen.attempt = index;
	if (index >= 0)
		reveal(index, closer);
	if (!quietly)
		tellChosen();
	redrawAbove();
}

/* ---- what is where ---- */

// What is at the pointer: of several the worst; and how many there are. NEAR: in pixels.
const NEAR = 2, MOST_LOOKED_AT = 5000;
function attemptAt(x, y) {
	const lane = Math.floor((y - AXIS + scroller.scrollTop) / size.lane);
	const found = {index: -1, count: 0};

	if (x < GUTTER || y < AXIS || y >= AXIS + size.shown || lane < 0 || lane >= lanes.count)
		return found;
	const from = lanes.from[lane], to = lanes.from[lane + 1];
	const isPixel = (index, reach) => toX(attempts.start[index]) <= x + reach && toX(attempts.end[index]) >= x - reach;
	const first = bisect(from, to, endsAfter(toTime(x - NEAR)));

	for (const reach of [0.5, NEAR]) {
		for (let at = first; at < to && at < first + MOST_LOOKED_AT && attempts.start[lanes.items[at]] <= toTime(x + reach); at++)
			if (isPixel(lanes.items[at], reach))
				consider(found, lanes.items[at]);
		if (found.count)
			break;
	}
	return found;
}

function consider(found, index) {
	const rank = each => RANKS[attempts.outcome[each]] + (isDim(each) ? 0 : 10);

	found.count++;
	if (found.index < 0 || rank(index) > rank(found.index))
		found.index = index;
}

// The one before or after it in its lane; in the nearest lane above or below that has one,
// the one at the same time.
function beside(index, step) {
	const lane = attempts.slot[index] - 1;
	const at = bisect(lanes.from[lane], lanes.from[lane + 1], each => lanes.items[each] >= index) + step;

	return at >= lanes.from[lane] && at < lanes.from[lane + 1] ? lanes.items[at] : -1;
}

function acrossFrom(index, step) {
	const middle = (attempts.start[index] + attempts.end[index]) / 2;

	for (let lane = attempts.slot[index] - 1 + step; lane >= 0 && lane < lanes.count; lane += step) {
		const from = lanes.from[lane], to = lanes.from[lane + 1];

		if (from < to)
			return lanes.items[Math.min(bisect(from, to, endsAfter(middle)), to - 1)];
	}
	return -1;
}

// The next one, from the chosen one on and round, for which `is` holds.
function nextAttempt(is, step = 1) {
	const from = chosen.attempt, count = attempts.count;

	for (let passed = 1; passed <= count; passed++) {
		const index = ((from < 0 && step < 0 ? 0 : from) + step * passed + 2 * count) % count;

		if (is(index))
			return index;
	}
	return -1;
}

const isLast = index => attempts.later[index] < 0;
function chooseNextTrouble() {
	const index = nextAttempt(each => isLast(each) && isTrouble(attempts.outcome[each]));

	if (index >= 0)
		choose(index, {closer: true});
}

function chooseNextFound(step) {
	const index = search.isOn ? nextAttempt(each => isLast(each) && search.hits[attempts.task[each]], step) : -1;

	if (index >= 0)
		choose(index, {closer: true});
}

/* ---- pointer ---- */

const pointers = new Map(); // that are down
let press = null;

function placeOf(event) {
	const box = chart.getBoundingClientRect();

	return {x: event.clientX - box.left, y: event.clientY - box.top};
}

function onDown(event) {
	const place = placeOf(event);

	if (event.button || place.x > size.width)
		return; // the scroll bar is not ours
	cancelAnimationFrame(easing);
	chart.setPointerCapture(event.pointerId);
	pointers.set(event.pointerId, place);
	press = {...place, from: view.from, to: view.to, scroll: scroller.scrollTop, moved: false, spread: spread()};
	if (event.shiftKey)
		chosen.brush = {from: place.x, to: place.x};
}

// Between two fingers.
function spread() {
	const [one, other] = [...pointers.values()];

	return other ? Math.max(Math.abs(one.x - other.x), 10) : 0;
}

function onMove(event) {
	const place = placeOf(event);

	if (pointers.has(event.pointerId))
		pointers.set(event.pointerId, place);
	if (press && chosen.brush) {
		chosen.brush.to = place.x;
		redrawAbove();
	} else if (press?.spread && pointers.size > 1) {
		pinch();
	} else if (press) {
		drag(place);
	} else {
		point(place, event);
	}
}

function drag(place) {
	const by = (press.x - place.x) / size.plot * (press.to - press.from);

	press.moved ||= Math.abs(press.x - place.x) + Math.abs(press.y - place.y) > 4;
	if (!press.moved)
		return;
	chart.classList.add("panning");
	hideTip();
	scroller.scrollTop = press.scroll + press.y - place.y;
	show(press.from + by, press.to + by);
}

function pinch() {
	const factor = press.spread / spread(), at = toTime(press.x);

	press.moved = true;
	zoom(factor, at);
	press.spread = spread();
}

function onUp(event) {
	const place = placeOf(event), brush = chosen.brush;

	pointers.delete(event.pointerId);
	chart.classList.remove("panning");
	if (press && brush && Math.abs(brush.to - brush.from) > 3)
		glide(toTime(Math.min(brush.from, brush.to)), toTime(Math.max(brush.from, brush.to)));
	else if (press && !press.moved && event.type === "pointerup")
		choose(attemptAt(place.x, place.y).index);
	chosen.brush = press = null;
	redrawAbove();
}

function point(place, event) {
	const found = attemptAt(place.x, place.y);

	chosen.pointer = place.x >= GUTTER && place.x <= GUTTER + size.plot ? place : null;
	chosen.hover = found.index;
	chart.style.cursor = found.index >= 0 ? "pointer" : "";
	if (found.index >= 0)
		showTip(found, event.clientX, event.clientY);
	else
		hideTip();
	redrawAbove();
}

function leave() {
	chosen.pointer = null;
	chosen.hover = -1;
	hideTip();
	redrawAbove();
}

// Where nothing is left to zoom out of, the page scrolls.
function onWheel(event) {
	const lines = event.deltaMode ? 16 : 1, place = placeOf(event);

	if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
		event.preventDefault();
		pan(event.deltaX * lines / size.plot);
	} else if (event.deltaY < 0 || !isWhole()) {
		event.preventDefault();
		zoom(Math.exp(event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0022)), toTime(Math.max(place.x, GUTTER)));
	}
	if (!press)
		point(place, event);
}

/* ---- keys ---- */

function step(onward, alongLane) {
	const is = index => attempts.slot[index] > 0;
	const first = chosen.attempt < 0 || !attempts.slot[chosen.attempt];
	const index = first ? bisect(lanes.from[0], attempts.count, each => attempts.start[each] >= view.from)
		: alongLane ? beside(chosen.attempt, onward) : acrossFrom(chosen.attempt, onward);

	if (index >= 0 && index < attempts.count && is(index))
		choose(index);
}

function letGo() {
	hideTip();
	if (chosen.attempt >= 0)
		choose(-1);
	else
		clearSearch();
}

const KEYS = {
	"+": () => zoom(0.6, zoomCentre()),
	"=": () => zoom(0.6, zoomCentre()),
	"-": () => zoom(1 / 0.6, zoomCentre()),
	"0": showWhole,
	"f": chooseNextTrouble,
	"n": () => chooseNextFound(1),
	"/": () => element("search").select(),
	"Escape": letGo,
};
const CHART_KEYS = {
	"ArrowLeft": event => event.shiftKey ? pan(-0.15) : step(-1, true),
	"ArrowRight": event => event.shiftKey ? pan(0.15) : step(1, true),
	"ArrowUp": () => step(-1, false),
	"ArrowDown": () => step(1, false),
	"Enter": () => chosen.attempt >= 0 ? reveal(chosen.attempt, true) : step(1, true),
	"PageUp": () => scroller.scrollTop -= size.shown,
	"PageDown": () => scroller.scrollTop += size.shown,
};

function zoomCentre() {
	const middle = chosen.attempt < 0 ? -1 : (attempts.start[chosen.attempt] + attempts.end[chosen.attempt]) / 2;

	return middle >= view.from && middle <= view.to ? middle : (view.from + view.to) / 2;
}

function onKey(event) {
	const isTyping = event.target.matches("input"), isChart = chart.contains(event.target) || event.target === document.body;
	const act = (isTyping ? null : KEYS[event.key]) ?? (isChart ? CHART_KEYS[event.key] : null);

	if (!act || event.ctrlKey || event.metaKey || event.altKey)
		return;
	event.preventDefault();
	act(event);
}

function listen() {
	chart.addEventListener("pointerdown", onDown);
	chart.addEventListener("pointermove", onMove);
	chart.addEventListener("pointerup", onUp);
	chart.addEventListener("pointercancel", onUp);
	chart.addEventListener("pointerleave", leave);
	chart.addEventListener("dblclick", showWhole);
	chart.addEventListener("wheel", onWheel, {passive: false});
	document.addEventListener("keydown", onKey);
	scroller.addEventListener("scroll", () => redraw());
	element("trouble").addEventListener("click", chooseNextTrouble);
	element("closer").addEventListener("click", () => zoom(0.6, zoomCentre()));
	element("farther").addEventListener("click", () => zoom(1 / 0.6, zoomCentre()));
	element("whole").addEventListener("click", showWhole);
	new ResizeObserver(measure).observe(chart);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
	for (const [event, isPrint] of [["beforeprint", true], ["afterprint", false]])
		addEventListener(event, () => {
			document.documentElement.classList.toggle("printing", isPrint);
			measure();
			readColours();
			draw();
		});
}
