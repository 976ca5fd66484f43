"""The one table of what leat promises, and how figures and promises are printed."""
from collections import namedtuple

from measure import ratio

# `one` reaches `bound` times what `other` does in the same work (other None: `bound` itself).
# At least, where the figures are rates; at most, where they are times or sizes. paired: the
# median of the rounds' ratios, where noise of the machine could decide. limit: who is told
# of where it falls short, too, and so nobody could reach it.
Promise = namedtuple("Promise", "work one bound other paired limit", defaults=(None, False, None))

PROMISES = [
    Promise("probe", "leat -u", 0.85, "limit", True),
    Promise("probe", "leat -u", 3, "xargs"),
    Promise("probe", "leat -u", 2, "xe"),
    Promise("probe", "leat -u", 2, "moreutils"),
    Promise("probe", "leat -u", 40, "GNU parallel"),
    Promise("probe says", "leat", 0.7, "limit", True),
    Promise("shell line", "leat", 1.8, "xargs"),
    Promise("shell line", "leat", 8, "GNU parallel"),
    Promise("needs a shell", "leat", 0.97, "xargs", True),
    Promise("empty input", "leat", 1.5, "xargs"),
    Promise("answer", "leat", 3, "sh -c"),
    Promise("bytes", "leat", 0.7, "raw xargs"),
    Promise("bytes", "leat", 3, "GNU parallel", limit="raw xargs"),
    Promise("lines", "leat", 0.7, "raw xargs"),
    Promise("lines", "leat", 3, "GNU parallel", limit="raw xargs"),
    Promise("lines --tag", "leat --tag", 0.4, "raw xargs"),
    Promise("lines --tag", "leat --tag", 12, "GNU parallel --tag"),
    Promise("as many as fit", "leat -u", 2, "xargs"),
    Promise("as many as fit", "leat -u", 1.3, "xe"),
    Promise("very many", "leat, many", 0.95, "leat, few", True),
    Promise("very many: peak", "leat, many", 1.1, "leat, few"),
    Promise("very many: peak", "leat, many", 10 * 1024),
    Promise("asleep: started", "leat", 1),
    Promise("asleep: ended", "leat", 0.5),
    Promise("asleep: memory", "leat", 100 * 1024),
    Promise("many slots", "leat -u -j64", 0.85, "leat -u -j2", True),
    Promise("many slots", "leat -j64", 0.85, "leat -j2", True),
    Promise("reports", "leat with all", 0.6, "leat", True),
    Promise("warm builtin", "leat --warm", 5, "xargs"),
    Promise("warm pipeline", "leat --warm", 1.6, "xargs"),
]


def tell(words):
    """At once, as it takes long until the next."""
    print(words, flush=True)


def number(value):
    """With as many decimals as matter."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def speed(one, other):
    """How fast one is next to the other: rates divided, times and sizes the other way."""
    both = (one, other) if one.is_rate() else (other, one)
    found = ratio(*both)
    return "-" if found is None else f"{found:.2f}"


def print_head():
    tell(f"{'work':21}{'program':28}{'amount':>11}{'figure':>23}{':limit':>8}{':peer':>8}"
         f"{'peak KiB':>10}")


def print_work(setting, work, limit):
    """Its figures: each next to the limit's and the best peer's."""
    figures = {program: figure for (name, program), figure in setting.figures.items()
               if name == work}
    peer = best_peer(figures, limit)
    for program, figure in figures.items():
        tell(f"{work:21}{program:28}{columns(figure, figures.get(limit), peer)}".rstrip())


def best_peer(figures, limit):
    peers = [figure for program, figure in figures.items()
             if program != limit and not program.startswith("leat") and figure.value()]
    if not peers:
        return None
    return max(peers, key=lambda figure: figure.value() * (1 if figure.is_rate() else -1))


def columns(figure, limit, peer):
    amount = "" if figure.amount is None else f"{figure.amount:,.0f}"
    if figure.value() is None:
        return f"{amount:>11}  not measured: {figure.missing}"
    told = f"{number(figure.value())} {figure.unit}"
    ratios = "".join(f"{speed(figure, other) if other else '-':>8}" for other in (limit, peer))
    return f"{amount:>11}{told:>23}{ratios}{figure.peak or '-':>10}"


def print_complaints(setting):
    if setting.complaints:
        tell("")
    for words, times in setting.complaints.items():
        tell(words if times == 1 else f"{words} ({times} times)")


def judge(setting, promise):
    """What it came to, as words, and the verdict."""
    one = setting.figures[promise.work, promise.one]
    other = setting.figures[promise.work, promise.other] if promise.other else None
    for figure in one, other:
        if figure and figure.value() is None:
            return "", f"not measured: {figure.missing}"
    reached = ratio(one, other, promise.paired) if other else one.value()
    enough = reached >= promise.bound if one.is_rate() else reached <= promise.bound
    return number(reached), "reached" if enough else "SHORT" + beyond(setting, promise, other)


def beyond(setting, promise, other):
    """Words for a promise that the limit itself does not reach."""
    limit = setting.figures.get((promise.work, promise.limit))
    reached = ratio(limit, other) if limit else None
    if reached is None or reached >= promise.bound:
        return ""
    return f": {promise.limit} itself, {number(reached)}"


def wanted(setting, promise):
    """What it promises, as words."""
    figure = setting.figures[promise.work, promise.one]
    word = "at least" if figure.is_rate() else "at most"
    return f"{word} {promise.bound:,} " + (f"x {promise.other}" if promise.other else figure.unit)


def print_promises(setting):
    """A line for each whose work was measured; then how many lines, and which fell short."""
    counts = {"reached": 0, "SHORT": 0, "not measured": 0}
    short = []
    tell(f"\npromised{' (this was a short run)' if setting.short else ''}")
    for promise in PROMISES:
        if (promise.work, promise.one) not in setting.figures:
            continue
        value, verdict = judge(setting, promise)
        words = wanted(setting, promise)
        tell(f"{promise.work:17}{promise.one:13}{value:>8}  {words:36}{verdict}")
        counts[verdict.split(":")[0]] += 1
        if verdict.startswith("SHORT"):
            short.append(f"{promise.work}, {words}{verdict[5:]}")
    print_counts(counts, short)


def print_counts(counts, short):
    missed = counts["not measured"]
    tell(f"\nbench: {counts['reached']} lines reached, {counts['SHORT']} fall short"
         + (f", {missed} not measured" if missed else "")
         + (f": {'; '.join(short)}" if short else ""))
