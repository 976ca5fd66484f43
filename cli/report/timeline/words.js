// All that the page says in words: the account, the tip, the chosen task, search, tables.
const MOST_SLOW = 20, MOST_FAILED = 1000;

// An element with attributes, and children that are elements or text: never HTML.
function make(name, attributes = {}, ...children) {
	const made = document.createElement(name);

	for (const [key, value] of Object.entries(attributes))
		if (key.startsWith("on"))
			made.addEventListener(key.slice(2), value);
		else if (value !== false && value !== undefined)
			made.setAttribute(key, value);
	made.append(...children);
	return made;
}

const swatch = outcome => make("span", {class: `swatch ${classOf(outcome)}`, "aria-hidden": "true"}, SIGNS[outcome]);

/* ---- the account ---- */

const countOf = outcome => end.counts[OUTCOMES[outcome]] ?? 0;
const more = end.cut ? "+" : "";
const countWords = outcome => many(countOf(outcome)) + (outcome === UNRUN ? more : "");

function tellAccount() {
	const shown = OUTCOMES.map((_, outcome) => outcome).filter(outcome => countOf(outcome) || outcome === UNRUN);

	element("line").textContent = runs.at(-1)?.command ?? "";
	element("sum").textContent = sumWords();
	element("counts").append(...shown.map(makeCount));
	element("facts").append(...tellFacts().map(words => make("span", {}, words)));
	element("made").textContent = `Made by leat ${runs.at(-1)?.version ?? ""}. Times of day are in ${zone}.`;
	element("trouble").hidden = !shown.some(isTrouble);
	document.title = end.account.split("\n")[0];
}

// As leat's own account begins; what is in flight is not in that.
function sumWords() {
	const flying = end.counts["in flight"] ?? 0, words = end.account.replace(/^leat: /, "").replace(/:.*/s, "");

	return flying ? words.replace(/^\d+/, number => +number + flying) : words;
}

function makeCount(outcome) {
	const isLoud = outcome === UNRUN && (countOf(UNRUN) || end.cut);
	const content = [swatch(outcome), make("b", {}, countWords(outcome)), ` ${OUTCOMES[outcome]}`];

	return make("button", {class: isLoud ? "loud" : "", "data-outcome": outcome, "aria-pressed": "false",
		onclick: () => toggleOutcome(outcome)}, ...content);
}

function tellFacts() {
	const last = runs.at(-1), facts = [];

	if (!last)
		return ["no run"];
	facts.push(`${formatDate(runs[0].started)} to ${formatDate(last.started + last.end - last.at)}`);
	if (runs.length > 1)
		facts.push(`${runs.length} runs, one after the other`);
	if (lanes.slots)
		facts.push(plural(lanes.slots, "slot"));
	facts.push(end.exit < 0 ? "no exit status: it goes on, or leat was killed" : `exit status ${end.exit}`);
	if (attempts.count)
		facts.push(`${formatDuration(cpuTotal())} of CPU time`);
	return facts;
}

const cpuTotal = () => attempts.user.reduce((sum, us, index) => sum + us + attempts.system[index], 0);

/* ---- one attempt ---- */

const length = index => attempts.end[index] - attempts.start[index];

function nameOf(index) {
	const outcome = attempts.outcome[index], reason = attempts.reason[index];
	const words = reason && reason !== OUTCOMES[outcome] ? `${OUTCOMES[outcome]}: ${reason}` : OUTCOMES[outcome];

	return [swatch(outcome), `Task ${tasks.number[attempts.task[index]]}`, make("span", {}, words)];
}

const attemptWords = index => `attempt ${attempts.number[index]}${runs.length > 1 ? ` in run ${attempts.run[index] + 1}` : ""}`;
const clockOf = index => runs[attempts.run[index]].started + attempts.start[index] - runs[attempts.run[index]].at;

function factsOf(index) {
	const isKnown = attempts.peak[index] >= 0, hasSlot = attempts.slot[index] > 0, facts = [];

	if (hasSlot)
		facts.push(["started", `${(total > DAY || runs.length > 1 ? formatDate : formatTime)(clockOf(index))}, after ${formatDuration(attempts.start[index])}`]);
	if (hasSlot && isKnown)
		facts.push(["took", formatDuration(length(index))],
			["CPU", `${formatDuration(attempts.user[index])} user, ${formatDuration(attempts.system[index])} system`],
			["memory", formatBytes(attempts.peak[index] * 1024)]);
	if (attempts.bytes[index] >= 0 && hasSlot)
		facts.push(["output", formatBytes(attempts.bytes[index])]);
	if (hasSlot)
		facts.push(["slot", attempts.slot[index]]);
	if (attempts.later[index] >= 0 || attempts.earlier[index] >= 0 || runs.length > 1)
		facts.push(["attempt", attempts.number[index] + (runs.length > 1 ? ` in run ${attempts.run[index] + 1}` : "") +
			(attempts.later[index] >= 0 ? ", tried again" : "")]);
	return facts;
}

const definitions = facts => facts.flatMap(([term, words]) => [make("dt", {}, term), make("dd", {}, words)]);

function showTip(found, x, y) {
	const tip = element("tip"), {index, count} = found;

	tip.replaceChildren(make("div", {class: "title"}, ...nameOf(index)),
		make("div", {class: "command"}, tasks.command[attempts.task[index]].slice(0, 600)),
		make("dl", {class: "about"}, ...definitions(factsOf(index))));
	if (count > 1)
		tip.append(make("div", {class: "title"}, `and ${many(count - 1)} more here: zoom in`));
	tip.hidden = false;
	const box = tip.getBoundingClientRect();

	tip.style.left = `${Math.max(8, x + 16 + box.width > innerWidth ? x - 16 - box.width : x + 16)}px`;
	tip.style.top = `${Math.max(8, Math.min(y + 16, innerHeight - box.height - 8))}px`;
}

function hideTip() {
	element("tip").hidden = true;
}

function tellChosen() {
	const index = chosen.attempt, box = element("chosen");

	for (const row of document.querySelectorAll("tr.chosen"))
		row.classList.remove("chosen");
	box.hidden = index < 0;
	if (index < 0)
		return;
	const all = [];

	for (let each = tasks.first[attempts.task[index]]; each >= 0; each = attempts.later[each])
		all.push(makeAttemptButton(each));
	box.replaceChildren(
		make("div", {class: "title"}, ...nameOf(index), make("button", {onclick: () => choose(-1), "aria-label": "Let go", title: "Let go (Esc)"}, "✕")),
		make("div", {class: "command"}, tasks.command[attempts.task[index]]),
		make("dl", {class: "about"}, ...factsOf(index).map(fact => make("div", {}, ...definitions([fact])))));
	if (all.length > 1)
		box.append(make("div", {id: "attempts"}, ...all));
	for (const row of document.querySelectorAll(`tr[data-task="${attempts.task[index]}"]`))
		row.classList.add("chosen");
}

function makeAttemptButton(index) {
	const took = attempts.peak[index] < 0 ? "" : `, ${formatDuration(length(index))}`;

	return make("button", {"aria-pressed": String(index === chosen.attempt), onclick: () => choose(index, {closer: true})},
		swatch(attempts.outcome[index]), `${attemptWords(index)}${took}`);
}

/* ---- search ---- */

let lowered = null, wantedOutcome = -1;

// A number is a task's; any text a part of its command. One outcome can be wanted besides.
function find() {
	const text = element("search").value.trim().toLowerCase(), number = /^#?\d+$/.test(text) ? +text.replace("#", "") : -1;
	let count = 0;

	search.isOn = text !== "" || wantedOutcome >= 0;
	search.hits = new Uint8Array(tasks.number.length);
	lowered ??= tasks.command.map(command => command.toLowerCase());
	for (let task = 0; task < search.hits.length && search.isOn; task++)
		if ((wantedOutcome < 0 || attempts.outcome[tasks.last[task]] === wantedOutcome) &&
			(!text || tasks.number[task] === number || lowered[task].includes(text)))
			count += search.hits[task] = 1;
	tellFound(text, count);
	redraw();
}

function tellFound(text, count) {
	const idle = unrun.filter(([number, , command]) => search.isOn && (wantedOutcome < 0 || wantedOutcome === UNRUN) &&
		(!text || `#${number}`.endsWith(`#${text.replace("#", "")}`) || command.toLowerCase().includes(text))).length;

	element("found").textContent = !search.isOn ? "" : `${many(count)} of ${many(tasks.number.length)}` +
		(idle ? `, ${many(idle)} unrun` : "");
	for (const button of element("counts").children)
		button.setAttribute("aria-pressed", String(+button.dataset.outcome === wantedOutcome));
}

function toggleOutcome(outcome) {
	wantedOutcome = wantedOutcome === outcome ? -1 : outcome;
	find();
}

function clearSearch() {
	element("search").value = "";
	wantedOutcome = -1;
	find();
}

function listenToSearch() {
	const input = element("search");
	let waiting = 0;

	input.addEventListener("input", () => waiting ||= requestAnimationFrame(() => {
		waiting = 0;
		find();
	}));
	input.addEventListener("keydown", event => {
		if (event.key === "Enter") {
			find();
			chooseNextFound(event.shiftKey ? -1 : 1);
		} else if (event.key === "Escape") {
			clearSearch();
			chart.focus();
		}
	});
}

/* ---- tables ---- */

// `index`: the attempt that a row is of; -1: of none that is in the chart.
function makeRow(index, cells) {
	const go = () => choose(index, {closer: true});
	const row = make("tr", {}, ...cells);

	if (index >= 0) {
		row.tabIndex = 0;
		row.dataset.task = attempts.task[index];
		row.addEventListener("click", go);
		row.addEventListener("keydown", event => event.key === "Enter" && go());
	}
	return row;
}

const cell = (words, classes = "") => make("td", {class: classes}, words);
const commandCell = command => make("td", {class: "command"}, make("span", {}, command.slice(0, 1000)));

function makeTable(id, title, note, heads, rows) {
	const head = make("tr", {}, ...heads.map(([words, classes = ""]) => make("th", {class: classes, scope: "col"}, words)));

	element(id).append(make("h2", {}, title, make("small", {}, note)),
		make("div", {class: "table card", tabindex: rows.length > 12 ? "0" : false, role: "region", "aria-label": title},
			make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
	element(id).hidden = false;
}

const NUMBER_HEAD = ["Task", "number"];
const tookWords = index => attempts.peak[index] >= 0 && attempts.slot[index] ? formatDuration(length(index)) : "";

function listUnrun() {
	const hasCauses = unrun.some(row => row[1]), count = countOf(UNRUN);
	const note = `${countWords(UNRUN)} in all${unrun.length < count ? `, the first ${many(unrun.length)} of them` : ""}` +
		(end.cut ? "; the input was not read to its end" : "");
	const rows = unrun.map(([number, cause, command]) => makeRow(-1,
		[cell(number, "number"), ...hasCauses ? [cell(cause)] : [], commandCell(command)]));

	if (count || end.cut)
		makeTable("unrun", "Unrun", note, [NUMBER_HEAD, ...hasCauses ? [["Because of"]] : [], ["Command"]], rows);
}

function listFailed() {
	const failed = Array.from(tasks.last).filter(index => isTrouble(attempts.outcome[index]))
		.sort((a, b) => tasks.number[attempts.task[a]] - tasks.number[attempts.task[b]]);
	const count = Math.max(failed.length, countOf(1) + countOf(2) + countOf(3));
	const rows = failed.slice(0, MOST_FAILED).map(index => makeRow(index, [
		cell(tasks.number[attempts.task[index]], "number"),
		make("td", {}, swatch(attempts.outcome[index]), ` ${attempts.reason[index]}`),
		cell(tookWords(index), "number"), cell(attempts.number[index] || "", "number extra"),
		cell(attempts.slot[index] ? formatDuration(attempts.start[index]) : "", "number extra"),
		commandCell(tasks.command[attempts.task[index]])]));

	if (count)
		makeTable("failed", "Failed", `${many(count)} failed, crashed or timed out` +
			(rows.length < count ? `, the first ${many(rows.length)} of them` : ""),
			[NUMBER_HEAD, ["Why"], ["Took", "number"], ["Attempt", "number extra"], ["After", "number extra"], ["Command"]], rows);
}

// Of all attempts of a task, of which this is the first.
function slowestFrom(index) {
	let slowest = index;

	for (; index >= 0; index = attempts.later[index])
		if (length(index) > length(slowest))
			slowest = index;
	return slowest;
}

function listSlowest() {
	const slow = Array.from(tasks.first, slowestFrom).filter(index => attempts.slot[index])
		.sort((a, b) => length(b) - length(a)).slice(0, MOST_SLOW);
	const rows = slow.map(index => makeRow(index, [
		cell(tasks.number[attempts.task[index]], "number"), cell(formatDuration(length(index)), "number"),
		make("td", {}, swatch(attempts.outcome[index]), ` ${attempts.reason[index] || OUTCOMES[attempts.outcome[index]]}`),
		cell(attempts.peak[index] < 0 ? "" : formatDuration(attempts.user[index] + attempts.system[index]), "number extra"),
		cell(attempts.peak[index] < 0 ? "" : formatBytes(attempts.peak[index] * 1024), "number extra"),
		commandCell(tasks.command[attempts.task[index]])]));

	if (slow.length)
		makeTable("slowest", "Slowest", `${rows.length} of ${plural(tasks.number.length, "task")}`,
			[NUMBER_HEAD, ["Took", "number"], ["Outcome"], ["CPU", "number extra"], ["Memory", "number extra"], ["Command"]], rows);
}

/* ---- all of it ---- */

element("page").hidden = false;
tellAccount();
if (!attempts.count)
	chart.append(make("div", {class: "empty"}, "Nothing was started."));
measure();
readColours();
draw();
listen();
listenToSearch();
// What is below the chart can come a moment later.
setTimeout(() => {
	listUnrun();
	listFailed();
	listSlowest();
	document.documentElement.dataset.ready = "";
});
