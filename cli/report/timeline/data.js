// What leat wrote into the page: a line for each run, each attempt, each task that was not
// run, and the end. Attempts become columns of numbers, in the order of their start.
const OUTCOMES = ["ok", "failed", "crashed", "timed out", "canceled", "in flight", "unrun", "skipped"];
const SIGNS = ["✓", "✕", "↯", "◷", "⊘", "…", "○", "»"];
const OK = 0, FAILED = 1, TIMED_OUT = 3, UNRUN = 6;
// Which of those that share a pixel is shown: what went wrong.
const RANKS = [0, 4, 6, 5, 3, 2, 0, 0];
const isTrouble = outcome => outcome >= FAILED && outcome <= TIMED_OUT;
const classOf = outcome => OUTCOMES[outcome].replace(" ", "-");
const element = id => document.getElementById(id);

// The values of an attempt's row; the command is there once for each task.
const TASK = 0, NUMBER = 1, SLOT = 2, OUTCOME = 3, START = 4, ELAPSED = 5, USER = 6, SYSTEM = 7,
	PEAK = 8, BYTES = 9, REASON = 10, COMMAND = 11;

const runs = [], unrun = [];
const tasks = {number: [], command: [], first: [], last: []}; // first and last attempt
let end = {counts: {}, account: "leat: 0 tasks: 0 unrun"};
const attempts = readAttempts();
const total = Math.max(1000, ...runs.map(run => run.end)); // how long it all took
const lanes = makeLanes();
const load = makeLoad();

function readAttempts() {
	const rows = [];

	for (const row of JSON.parse(element("rows").textContent || "[]"))
		if (row.counts)
			end = row;
		else if (!Array.isArray(row))
			runs.push(row);
		else if (row.length === 3)
			unrun.push(row);
		else
			rows.push(row);
	element("rows").remove(); // it is large, and not needed any more
	placeRuns(rows);
	return makeAttempts(rows, nameTasks(rows));
}

// In which run something that started then was.
function runAt(us, start) {
	let index = runs.length - 1;

	while (index > 0 && runs[index][start] > us)
		index--;
	return index;
}

// The time between two runs is left out: run.gap is what is not shown before it, run.at
// where it begins then, run.end where it ends.
function placeRuns(rows) {
	let gap = 0, last = 0;

	for (const run of runs) {
		run.raw = run.started - runs[0].started;
		run.last = run.raw + Math.max(run.elapsed, runs.length === 1 ? end.elapsed : 0);
	}
	for (const row of rows)
		if (row[SLOT]) {
			const run = runs[runAt(row[START], "raw")];

			run.last = Math.max(run.last, row[START] + Math.max(row[ELAPSED], 0));
		}
	for (const run of runs) {
		gap += Math.max(run.raw - last, 0);
		run.gap = gap;
		run.at = run.raw - gap;
		run.end = run.last - gap;
		last = run.last;
	}
}

// The task of each row: one with a command begins it, later attempts come behind.
function nameTasks(rows) {
	const latest = new Map(), ofRow = new Uint32Array(rows.length);

	rows.forEach((row, index) => {
		if (row.length > COMMAND) {
			latest.set(row[TASK], tasks.number.length);
			tasks.number.push(row[TASK]);
			tasks.command.push(row[COMMAND]);
			tasks.first.push(-1);
			tasks.last.push(-1);
		}
		ofRow[index] = latest.get(row[TASK]);
	});
	return ofRow;
}

// What had no slot has no time, and comes first.
function makeAttempts(rows, taskOf) {
	const count = rows.length, numbers = () => new Float64Array(count);
	const all = {count, task: new Uint32Array(count), slot: new Uint32Array(count), outcome: new Uint8Array(count),
		run: new Uint32Array(count), later: new Int32Array(count).fill(-1), earlier: new Int32Array(count).fill(-1),
		number: numbers(), start: numbers(), end: numbers(), user: numbers(), system: numbers(), peak: numbers(),
		bytes: numbers(), reason: new Array(count)};
	const begin = Float64Array.from(rows, row => row[SLOT] ? row[START] : -1e15);
	const order = Uint32Array.from(rows.keys()).sort((a, b) => begin[a] - begin[b] || a - b);

	order.forEach((from, index) => {
		const row = rows[from], run = runAt(row[START], "raw"), isKnown = row[ELAPSED] >= 0;

		all.task[index] = taskOf[from];
		all.run[index] = run;
		all.number[index] = row[NUMBER];
		all.slot[index] = row[SLOT];
		all.outcome[index] = OUTCOMES.indexOf(row[OUTCOME]);
		all.start[index] = row[SLOT] ? row[START] - runs[run].gap : 0;
		all.end[index] = all.start[index] + row[ELAPSED];
		if (!isKnown)
			all.end[index] = Math.max(runs[run].end, all.start[index]);
		all.user[index] = row[USER];
		all.system[index] = row[SYSTEM];
		all.peak[index] = isKnown ? row[PEAK] : -1;
		all.bytes[index] = isKnown ? row[BYTES] : -1;
		all.reason[index] = row[REASON];
		chain(all, index);
	});
	return all;
}

function chain(all, index) {
	const task = all.task[index], before = tasks.last[task];

	if (before < 0)
		tasks.first[task] = index;
	else
		all.later[before] = index;
	all.earlier[index] = before;
	tasks.last[task] = index;
}

// The first index from `from` up to `to` for which `is` holds, as it does from there on.
function bisect(from, to, is) {
	while (from < to) {
		const middle = (from + to) >>> 1;

		if (is(middle))
			to = middle;
		else
			from = middle + 1;
	}
	return from;
}

// The attempts of lane n, which is slot n + 1, are items[from[n]] up to items[from[n + 1]].
function makeLanes() {
	let used = 0;

	for (const slot of attempts.slot)
		used = Math.max(used, slot);
	const slots = Math.max(0, ...runs.map(run => run.slots));
	const count = Math.max(1, used, Math.min(slots, 24)), from = new Uint32Array(count + 2);

	for (const slot of attempts.slot)
		from[slot + 1]++;
	for (let lane = 1; lane < from.length; lane++)
		from[lane] += from[lane - 1];
	const next = from.slice(), items = new Uint32Array(attempts.count);

	for (let index = 0; index < attempts.count; index++)
		items[next[attempts.slot[index]]++] = index;
	return {count, slots, from: from.subarray(1), items};
}

// How many ran, and how many CPUs they used, from each start or end on: a step function,
// with its integral, so that its mean over any time is known at once. An attempt's CPU time
// is spread over its duration.
function makeLoad() {
	const first = lanes.from[0], count = attempts.count - first;
	const byEnd = Uint32Array.from({length: count}, (_, index) => first + index)
		.sort((a, b) => attempts.end[a] - attempts.end[b]);
	const rate = index => (attempts.user[index] + attempts.system[index]) /
		Math.max(attempts.end[index] - attempts.start[index], 1);
	const series = () => ({value: new Float64Array(2 * count + 1), integral: new Float64Array(2 * count + 1), most: 0});
	const made = {at: new Float64Array(2 * count + 1), running: series(), cpu: series()};

	for (let starts = first, ends = 0, step = 1; step <= 2 * count; step++) {
		const isStart = starts < attempts.count && attempts.start[starts] <= attempts.end[byEnd[ends]];
		const index = isStart ? starts++ : byEnd[ends++], sign = isStart ? 1 : -1;
		const at = isStart ? attempts.start[index] : attempts.end[index];

		made.at[step] = at;
		addStep(made.running, step, at - made.at[step - 1], sign);
		addStep(made.cpu, step, at - made.at[step - 1], sign * rate(index));
	}
	return made;
}

function addStep(series, step, duration, change) {
	series.value[step] = series.value[step - 1] + change;
	series.integral[step] = series.integral[step - 1] + series.value[step - 1] * duration;
	if (duration > 0)
		series.most = Math.max(series.most, series.value[step - 1]);
}

// From the run's start up to `us`.
function integrate(series, us) {
	const step = bisect(0, load.at.length, index => load.at[index] > us) - 1;

	return step < 0 ? 0 : series.integral[step] + series.value[step] * (us - load.at[step]);
}
const meanOf = (series, from, to) => (integrate(series, to) - integrate(series, from)) / (to - from);
