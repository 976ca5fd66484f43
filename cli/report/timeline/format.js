// How times, sizes and numbers are told. Times are in microseconds.
const SECOND = 1e6, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

const two = number => String(Math.floor(number)).padStart(2, "0");
const many = number => number.toLocaleString("en");
const plural = (number, word) => `${many(number)} ${word}${number === 1 ? "" : "s"}`;

// As leat tells durations: 20ms, 0.53s, 12.3s, 2m05s, 1h02m05s.
function formatDuration(us) {
	if (us === 0)
		return "0s";
	if (us < 0)
		return "−" + formatDuration(-us);
	if (us < 1000)
		return `${Math.round(us)}µs`;
	if (us < 100e3)
		return `${(us / 1000).toFixed(us < 10e3 ? 1 : 0)}ms`;
	if (us < 59.95 * SECOND)
		return `${(us / SECOND).toFixed(us < 10 * SECOND ? 2 : 1)}s`;
	const seconds = Math.round(us / SECOND), minutes = Math.floor(seconds / 60);

	if (minutes < 60)
		return `${minutes}m${two(seconds % 60)}s`;
	if (minutes < 24 * 60)
		return `${Math.floor(minutes / 60)}h${two(minutes % 60)}m${two(seconds % 60)}s`;
	return `${Math.floor(minutes / 1440)}d${two(minutes % 1440 / 60)}h${two(minutes % 60)}m`;
}

function formatBytes(bytes) {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let unit = 0;

	for (; bytes >= 1024 && unit < units.length - 1; unit++)
		bytes /= 1024;
	return `${bytes.toFixed(unit && bytes < 100 ? 1 : 0)} ${units[unit]}`;
}

const twoDigits = {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"};
const dayFormat = new Intl.DateTimeFormat("sv", {dateStyle: "short"});
const timeFormat = new Intl.DateTimeFormat("sv", twoDigits);
const zone = new Intl.DateTimeFormat("en", {timeZoneName: "short"}).formatToParts(0).at(-1).value;

// In the reader's own time zone: 2026-11-21 11:30:15
const formatDate = us => `${dayFormat.format(us / 1000)} ${timeFormat.format(us / 1000)}`;
const formatTime = us => timeFormat.format(us / 1000) + "." + String(Math.floor(us / 1000) % 1000).padStart(3, "0");

// The step from one mark of the axis to the next, at least `least` long.
function chooseStep(least) {
	const longer = [1, 2, 5, 10, 15, 30].map(n => n * SECOND).concat(
		[1, 2, 5, 10, 15, 30].map(n => n * MINUTE), [1, 2, 3, 6, 12].map(n => n * HOUR));

	if (least <= SECOND / 2) {
		const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));

		return [1, 2, 5, 10].map(n => n * power).find(step => step >= least);
	}
	return longer.find(step => step >= least) ?? Math.ceil(least / DAY) * DAY;
}

// A mark of the axis, as exact as the step needs.
function formatMark(us, step) {
	if (us === 0)
		return "0";
	if (step < 1000 && us < 1000)
		return `${Math.round(us)}µs`;
	if (us < SECOND && step < SECOND)
		return `${+(us / 1000).toFixed(3)}ms`;
	if (us < MINUTE || step < SECOND) {
		const digits = step >= SECOND ? 0 : Math.min(6, Math.ceil(-Math.log10(step / SECOND)));
		const minutes = Math.floor(us / MINUTE);

		return `${minutes ? minutes + "m" : ""}${((us - minutes * MINUTE) / SECOND).toFixed(digits)}s`;
	}
	return formatDuration(us).replace(/(?<=[hm])00s$/, "").replace(/(?<=h)00m$/, "").replace(/(?<=d)00h$/, "");
}
