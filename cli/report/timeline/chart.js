// The chart: a canvas each for the axis, the bars, the curves, and what is above them all.
// It is drawn when something has changed, by the next frame.
const GUTTER = 46, AXIS = 26, CURVE = 64, CURVE_GAP = 18, BOTTOM = 8, EDGE = 12;
const canvases = {axis: element("axis"), bars: element("bars"), curves: element("curves"), above: element("above")};
const chart = element("chart"), scroller = element("scroller");

const view = {from: 0, to: total};
const chosen = {attempt: -1, hover: -1, pointer: null, brush: null};
const search = {isOn: false, hits: null}; // a byte for each task
const size = {width: 0, plot: 0, lane: 0, shown: 0, ratio: 1};
let colours = {}, patterns = [], isStale = true, frame = 0;

const toX = us => GUTTER + (us - view.from) / (view.to - view.from) * size.plot;
const toTime = x => view.from + (x - GUTTER) / size.plot * (view.to - view.from);

function redraw() {
	isStale = true;
	redrawAbove();
}

function redrawAbove() {
	frame ||= requestAnimationFrame(draw);
}

function draw() {
	frame = 0;
	if (isStale) {
		drawAxis(prepare(canvases.axis, AXIS));
		drawBars(prepare(canvases.bars, size.shown));
		drawCurves(prepare(canvases.curves, 2 * (CURVE + CURVE_GAP) + BOTTOM));
	}
	drawAbove(prepare(canvases.above, chart.clientHeight));
	isStale = false;
}

function prepare(canvas, height) {
	const context = canvas.getContext("2d"), width = Math.round(size.width * size.ratio);
	const pixels = Math.round(height * size.ratio);

	if (canvas.width !== width || canvas.height !== pixels) {
		canvas.width = width;
		canvas.height = pixels;
		canvas.style.height = `${height}px`;
	}
	context.setTransform(size.ratio, 0, 0, size.ratio, 0, 0);
	context.clearRect(0, 0, size.width, height);
	context.font = "11px system-ui, sans-serif";
	context.textBaseline = "middle";
	return context;
}

// The width of a sheet of paper, which is not known before it is printed.
const PRINT_WIDTH = 720, isPrinting = () => document.documentElement.classList.contains("printing");

// Lanes are as high as fits well; many are thin, and what does not fit is scrolled to.
function measure() {
	const room = Math.max(220, Math.min(560, innerHeight * 0.55));

	size.ratio = devicePixelRatio || 1;
	size.lane = Math.max(3, Math.min(26, Math.floor(room / lanes.count)));
	size.shown = Math.min(lanes.count * size.lane, Math.floor(room));
	scroller.style.height = `${size.shown}px`;
	element("filler").style.height = `${Math.max(lanes.count * size.lane - size.shown, 0)}px`;
	size.width = isPrinting() ? PRINT_WIDTH : scroller.clientWidth;
	size.plot = Math.max(size.width - GUTTER - EDGE, 10);
	redraw();
}

/* ---- colours ---- */

function readColours() {
	const style = getComputedStyle(document.documentElement);
	const read = name => style.getPropertyValue(`--${name}`).trim();

	colours = {outcome: OUTCOMES.map(name => read(name.replace(" ", "-")))};
	for (const name of ["card", "line", "grid", "lane", "text", "quiet", "accent", "mark", "ink", "running", "cpu"])
		colours[name] = read(name);
	patterns = OUTCOMES.map(makePattern);
	redraw();
}

// An outcome's own, to be told from others without its colour: null where it is plain.
const STROKES = {
	"failed": [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6]],
	"crashed": [[-2, 10, 10, -2], [-2, 2, 2, -2], [6, 10, 10, 6], [-2, -2, 10, 10]],
	"timed out": [[2, -1, 2, 9]],
	"canceled": [[-1, 4, 9, 4]],
	"in flight": [[0, 2, 4, 2], [4, 6, 8, 6]],
};

function makePattern(name) {
	const tile = document.createElement("canvas"), context = tile.getContext("2d");

	tile.width = tile.height = 8 * size.ratio;
	context.scale(size.ratio, size.ratio);
	context.strokeStyle = "rgb(0 0 0 / 26%)";
	context.lineWidth = 1.5;
	for (const [x, y, toX, toY] of STROKES[name] ?? []) {
		context.moveTo(x, y);
		context.lineTo(toX, toY);
	}
	context.stroke();
	if (!STROKES[name])
		return null;
	const pattern = context.createPattern(tile, "repeat");

	pattern.setTransform(new DOMMatrix().scale(1 / size.ratio));
	return pattern;
}

/* ---- axis ---- */

function marks(each) {
	const step = chooseStep((view.to - view.from) / Math.max(size.plot / 96, 1));

	for (let at = Math.ceil(view.from / step) * step; at <= view.to; at += step)
		each(at, Math.round(toX(at)) + 0.5, step);
}

function drawAxis(context) {
	context.textAlign = "center";
	context.fillStyle = colours.quiet;
	marks((at, x, step) => {
		context.textAlign = x > size.width - 30 ? "right" : "center";
		context.fillText(formatMark(at, step), Math.min(x, size.width - 4), AXIS / 2 + 2);
	});
	context.textAlign = "left";
	context.fillText("slot", 10, AXIS / 2 + 2);
}

function drawGrid(context, height) {
	context.strokeStyle = colours.grid;
	context.lineWidth = 1;
	context.beginPath();
	marks((_, x) => {
		context.moveTo(x, 0);
		context.lineTo(x, height);
	});
	context.stroke();
}

// Where one run ends and the next begins.
function drawRuns(context, height) {
	context.strokeStyle = colours.quiet;
	context.setLineDash([4, 3]);
	context.beginPath();
	for (const run of runs.slice(1)) {
		context.moveTo(toX(run.at), 0);
		context.lineTo(toX(run.at), height);
	}
	context.stroke();
	context.setLineDash([]);
}

/* ---- bars ---- */

function drawBars(context) {
	const first = Math.floor(scroller.scrollTop / size.lane);
	const last = Math.min(lanes.count, Math.ceil((scroller.scrollTop + size.shown) / size.lane));
	const columns = makeColumns();

	drawLanes(context, first, last);
	drawGrid(context, size.shown);
	context.save();
	context.beginPath();
	context.rect(GUTTER, 0, size.width - GUTTER, size.shown);
	context.clip();
	drawRuns(context, size.shown);
	for (let lane = first; lane < last; lane++)
		drawLane(context, lane, columns);
	context.restore();
}

const laneTop = lane => lane * size.lane - scroller.scrollTop;
const laneInset = () => size.lane >= 14 ? 2 : size.lane >= 7 ? 1 : 0;
const barHeight = () => size.lane >= 7 ? size.lane - 2 * laneInset() : size.lane - 1;

function drawLanes(context, first, last) {
	const every = chooseLaneStep();

	context.textAlign = "right";
	for (let lane = first; lane < last; lane++) {
		const top = laneTop(lane);

		if (size.lane >= 7 && lane % 2 === 0) {
			context.fillStyle = colours.lane;
			context.fillRect(GUTTER, top, size.plot, size.lane);
		}
		if ((lane + 1) % every === 0 || (lane === 0 && every < 10)) {
			context.fillStyle = colours.quiet;
			context.fillText(lane + 1, GUTTER - 8, top + size.lane / 2 + 0.5);
		}
	}
}

const chooseLaneStep = () => [1, 2, 5, 10, 20, 50, 100].find(step => step * size.lane >= 13) ?? 200;

// For each pixel of a lane what is too narrow for a bar of its own: how much of it was
// spent well and how much not, and the worst of that.
function makeColumns() {
	const column = () => new Float32Array(Math.ceil(size.width) + 2);

	return {well: column(), badly: column(), dim: column(), worst: new Uint8Array(Math.ceil(size.width) + 2)};
}

const endsAfter = us => index => attempts.end[lanes.items[index]] >= us;
const startsAfter = us => index => attempts.start[lanes.items[index]] > us;

function drawLane(context, lane, columns) {
	const from = lanes.from[lane], to = lanes.from[lane + 1];
	const first = bisect(from, to, endsAfter(view.from)), last = bisect(first, to, startsAfter(view.to));
	const top = laneTop(lane) + laneInset();
	let any = false;

	for (let at = first; at < last; at++) {
		const index = lanes.items[at], left = toX(attempts.start[index]), right = toX(attempts.end[index]);

		if (right - left >= 3) {
			drawBar(context, index, Math.max(left, GUTTER - 4), Math.min(right, size.width + 4), top);
		} else {
			addToColumns(columns, index, left, right);
			any = true;
		}
	}
	if (any)
		drawColumns(context, columns, top);
}

const isDim = index => search.isOn && !search.hits[attempts.task[index]];

function drawBar(context, index, left, right, top) {
	const outcome = attempts.outcome[index], height = barHeight(), width = right - left - (right - left > 5 ? 1 : 0);

	context.globalAlpha = isDim(index) ? 0.16 : 1;
	context.fillStyle = colours.outcome[outcome];
	context.beginPath();
	context.roundRect(left, top, width, height, Math.min(3, height / 4, width / 4));
	context.fill();
	if (patterns[outcome] && height >= 5) {
		context.fillStyle = patterns[outcome];
		context.fill();
	}
	if (attempts.number[index] > 1 && width >= 5) { // not the first attempt
		context.fillStyle = colours.ink;
		context.fillRect(left, top, 2, height);
	}
	if (height >= 12 && width >= 16 && !isDim(index))
		writeLabel(context, index, left, width, top + height / 2);
	context.globalAlpha = 1;
}

function writeLabel(context, index, left, width, middle) {
	const outcome = attempts.outcome[index], number = attempts.number[index];
	const words = (outcome ? `${SIGNS[outcome]} ` : "") + (number > 1 ? `×${number} ` : "") +
		(width < 34 ? "" : tasks.command[attempts.task[index]]);
	const from = Math.max(left, GUTTER) + (number > 1 ? 6 : 5), room = left + width - from - 3;
	const text = words.slice(0, Math.floor(room / 5.2));

	if (room < 10 || !words)
		return;
	context.save();
	context.beginPath();
	context.rect(from, middle - 8, room, 16);
	context.clip();
	context.textAlign = "left";
	context.fillStyle = colours.ink;
	if (patterns[outcome]) { // letters need a plain ground
		context.fillStyle = colours.outcome[outcome];
		context.fillRect(from - 2, middle - 7, context.measureText(text).width + 4, 14);
		context.fillStyle = colours.ink;
	}
	context.fillText(text, from, middle + 0.5);
	context.restore();
}

function addToColumns(columns, index, left, right) {
	const outcome = attempts.outcome[index], rank = RANKS[outcome];
	const share = isDim(index) ? columns.dim : rank ? columns.badly : columns.well;
	const last = Math.min(Math.floor(right), Math.ceil(size.width));

	for (let x = Math.max(Math.floor(left), 0); x <= last; x++) {
		share[x] += Math.max(Math.min(right, x + 1) - Math.max(left, x), 0.06);
		if (rank && share !== columns.dim && rank > RANKS[columns.worst[x]])
			columns.worst[x] = outcome;
	}
}

function drawColumns(context, columns, top) {
	const {well, badly, dim, worst} = columns;

	context.fillStyle = colours.outcome[OK];
	for (let x = 0; x < worst.length; x++) {
		const all = well[x] + badly[x];

		context.globalAlpha = all ? Math.min(1, 0.45 + 0.55 * all) : 0.16;
		if (all || dim[x])
			context.fillRect(x, top, 1, barHeight());
	}
	context.globalAlpha = 1;
	for (let x = 0; x < worst.length; x++)
		if (badly[x])
			drawWorst(context, x, top, badly[x] / (well[x] + badly[x]), worst[x]);
	for (const column of [well, badly, dim, worst])
		column.fill(0);
}

// It can always be seen: two pixels wide, at the foot of the lane, as high as its share of
// what there is, and never low.
function drawWorst(context, x, top, share, outcome) {
	const height = barHeight(), high = Math.max(height * share, Math.min(height, Math.max(3, height * 0.35)));

	context.fillStyle = colours.outcome[outcome];
	context.fillRect(x - 0.5, top + height - high, 2, high);
}

/* ---- curves ---- */

function drawCurves(context) {
	drawGrid(context, 2 * (CURVE + CURVE_GAP));
	drawCurve(context, CURVE_GAP, load.running, "running", colours.running, Math.max(1, load.running.most));
	drawCurve(context, 2 * CURVE_GAP + CURVE, load.cpu, "CPUs used", colours.cpu, mostShown(load.cpu));
}

// Short bursts would dwarf the rest: the scale is that of what is shown.
function mostShown(series) {
	let most = 0;

	for (let x = 0; x < size.plot; x++)
		most = Math.max(most, meanOf(series, toTime(GUTTER + x), toTime(GUTTER + x + 1)));
	return most > 0 ? most * 1.02 : 1;
}

function drawCurve(context, top, series, name, colour, most) {
	const foot = top + CURVE;

	context.beginPath();
	context.moveTo(GUTTER, foot);
	for (let x = 0; x < size.plot; x++) {
		const mean = Math.max(0, meanOf(series, toTime(GUTTER + x), toTime(GUTTER + x + 1)));
		const y = foot - Math.min(1, mean / most) * CURVE;

		context.lineTo(GUTTER + x, y);
		context.lineTo(GUTTER + x + 1, y);
	}
	context.lineTo(GUTTER + size.plot, foot);
	context.globalAlpha = 0.3;
	context.fillStyle = context.strokeStyle = colour;
	context.fill();
	context.globalAlpha = 1;
	context.lineWidth = 1.25;
	context.stroke();
	context.fillStyle = colours.quiet;
	context.textAlign = "right";
	context.fillText(+most.toFixed(most < 10 ? 1 : 0), GUTTER - 8, top + 5);
	context.fillText("0", GUTTER - 8, foot - 3);
	context.textAlign = "left";
	context.fillStyle = colours.text;
	context.fillText(name, GUTTER, top - 8);
}

/* ---- above it all ---- */

function drawAbove(context) {
	const foot = AXIS + size.shown;

	context.save();
	context.beginPath();
	context.rect(GUTTER - 2, 0, size.width - GUTTER, chart.clientHeight);
	context.clip();
	if (chosen.pointer)
		drawCrosshair(context, chosen.pointer);
	context.save();
	context.beginPath();
	context.rect(GUTTER - 2, AXIS, size.width - GUTTER, size.shown);
	context.clip();
	drawWaiting(context);
	if (chosen.hover >= 0)
		outline(context, chosen.hover, 1.5);
	for (let each = chosen.attempt < 0 ? -1 : tasks.first[attempts.task[chosen.attempt]]; each >= 0; each = attempts.later[each])
		outline(context, each, each === chosen.attempt ? 2.5 : 1.5);
	context.restore();
	if (chosen.brush)
		drawBrush(context, foot);
	context.restore();
}

function drawCrosshair(context, pointer) {
	const height = chart.clientHeight - BOTTOM, words = formatDuration(toTime(pointer.x));
	const width = context.measureText(words).width + 10;
	const left = Math.min(Math.max(pointer.x - width / 2, GUTTER), size.width - width - 2);

	context.globalAlpha = 0.5;
	context.fillStyle = colours.quiet;
	context.fillRect(Math.round(pointer.x), AXIS, 1, height - AXIS);
	context.globalAlpha = 1;
	context.fillStyle = colours.text;
	context.beginPath();
	context.roundRect(left, 4, width, AXIS - 7, 4);
	context.fill();
	context.fillStyle = colours.card;
	context.textAlign = "center";
	context.fillText(words, left + width / 2, AXIS / 2 + 1);
}

function outline(context, index, thickness) {
	const left = toX(attempts.start[index]), right = Math.max(toX(attempts.end[index]), left + 2);
	const top = AXIS + laneTop(attempts.slot[index] - 1) + laneInset();

	if (!attempts.slot[index])
		return;
	context.strokeStyle = colours.mark;
	context.lineWidth = thickness;
	context.strokeRect(Math.max(left, GUTTER - 9) - 1, top - 1, Math.min(right, size.width + 9) - Math.max(left, GUTTER - 9) + 2, barHeight() + 2);
}

// From the end of an attempt to the start of the next one, where these are few enough to
// be told apart; those of the task that is chosen in any case.
const MOST_WAITING = 300;
function drawWaiting(context) {
	const shown = retried.filter(index => attempts.end[index] <= view.to && attempts.start[attempts.later[index]] >= view.from);
	const task = chosen.attempt < 0 ? -1 : attempts.task[chosen.attempt];

	context.setLineDash([2, 2]);
	context.globalAlpha = 0.7;
	for (const index of shown.length <= MOST_WAITING ? shown : shown.filter(each => attempts.task[each] === task))
		drawWait(context, index, attempts.task[index] === task);
	context.setLineDash([]);
	context.globalAlpha = 1;
}

function drawWait(context, index, isChosen) {
	const next = attempts.later[index], from = toX(attempts.end[index]), to = toX(attempts.start[next]);
	const y = each => Math.round(AXIS + laneTop(attempts.slot[each])) - 0.5; // below the bars

	context.strokeStyle = isChosen ? colours.mark : colours.quiet;
	context.lineWidth = isChosen ? 1.5 : 1;
	context.beginPath();
	context.moveTo(from, y(index));
	context.lineTo(to, y(index));
	context.lineTo(to, y(next));
	context.stroke();
}

// All attempts that another one came after.
const retried = Array.from(attempts.later.keys()).filter(index =>
	attempts.later[index] >= 0 && attempts.slot[index] && attempts.slot[attempts.later[index]]);

function drawBrush(context, foot) {
	const {from, to} = chosen.brush;

	context.fillStyle = colours.accent;
	context.globalAlpha = 0.18;
	context.fillRect(Math.min(from, to), AXIS, Math.abs(to - from), chart.clientHeight - AXIS - BOTTOM);
	context.globalAlpha = 1;
	context.fillRect(from, AXIS, 1, foot - AXIS);
	context.fillRect(to, AXIS, 1, foot - AXIS);
}
