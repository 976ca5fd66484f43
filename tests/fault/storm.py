#!/usr/bin/env python3
"""Storms of signals: random ones at random moments into runs with random options.

    storm.py FIRST COUNT

For each seed from FIRST on one run of leat, in the current directory, and then: has it
ended, with a status that says so; do the counts add up to the input, and is each task in
one outcome; has --unrun exactly what was not run; is no process left, no zombie, and no
file that leat did not promise. The first seed for which that is not so is told, with what
was run, sent and seen, and the exit status is 1. The same seed makes the same run, but for
the moments at which the kernel has what happen.
"""
import collections, ctypes, json, os, random, re, resource, shutil, signal, subprocess, sys, threading, time

SIGNALS = "INT TERM HUP QUIT TSTP CONT USR1 USR2 WINCH PIPE CHLD".split()
DEADLY = "INT TERM HUP QUIT".split()
STATUSES = (0, 123, 124)
PATIENCE = 30  # seconds; without any need for them

# Each tells its number first. What holds is ended by --timeout, or by the last signal.
TASKS = (
    "true", "exit 3", "kill -SEGV $$", "sleep 0.02", "sleep 0.1", "seq 20000", "seq 9 >&2",
    "head -c 1500000 /dev/zero", "trap '' TERM; sleep 0.3", "exec puppet hold", "kill -STOP $$",
    "exec puppet ignore TERM fork setsid fork hold end hold end hold",
    "exec puppet fork setsid mute hold end mute hold", "exec >&- 2>&-; sleep 0.05",
    "trap 'exit 0' TERM; sleep 0.2 & wait", "yes | head -c 300000",
)
OPTIONS = (
    ["--warm"], ["--pty"], ["--retries", "1"], ["--retries", "2", "--retry-delay", "20ms"],
    ["--deadline", "150ms"], ["--drain-timeout", "30ms"], ["--on-cancel", "terminate"],
    ["--fail-fast"], ["--halt", "now,fail=3"], ["--jobserver"], ["--jobserver=fifo"],
    ["--journal", "run.db"], ["--junit", "junit.xml"], ["--results", "results"],
    ["--timeline", "page.html"], ["--joblog", "joblog"], ["--recap"], ["--progress"], ["-t"],
    ["--delay", "5ms"], ["--lane", "{%}"], ["--max-load", "1"], ["--orphans", "keep"],
)
OUTPUTS = ([], [], ["-k"], ["--line-buffer"], ["--tag"], ["-u"])
LEFT = {"in", "out", "err", "rest", "events", "ran", "tmp", "run.db", "junit.xml", "results",
    "page.html", "joblog"}


class Wrong(Exception):
    pass


class Storm:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.mark = f"STORM={os.getpid()}.{seed}"
        self.sent = []
        self.arrange()

    def arrange(self):
        choose = self.random
        count = choose.randint(1, 40)
        self.tasks = [f"echo {n} >>ran; {choose.choice(TASKS)}" for n in range(1, count + 1)]
        self.options = ["-j", choose.choice("1 2 4 20".split()), "--kill-after",
            choose.choice(["0", "20ms", "100ms"]), *choose.choice(OUTPUTS)]
        if choose.random() < 0.6:
            self.options += ["--timeout", choose.choice(["30ms", "120ms"])]
        for option in choose.sample(OPTIONS, choose.randint(0, 4)):
            if option[0] not in self.options and not ("-u" in self.options and
                    option[0] in ("--pty", "--results")):
                self.options += option
        self.early = choose.random() < 0.2
        self.piped = choose.random() < 0.3
        self.slow_reader = choose.random() < 0.3
        self.signals = [(choose.choice(SIGNALS), choose.choice([0, 0, 0.001, 0.01, 0.05]) * choose.random())
            for _ in range(choose.randint(1, 10))]

    # ---- the run ----

    def start(self):
        for name in os.listdir("."):
            shutil.rmtree(name) if os.path.isdir(name) else os.unlink(name)
        os.mkdir("tmp")
        with open("in", "w") as file:
            file.write("".join(task + "\n" for task in self.tasks))
        name, value = self.mark.split("=")
        self.leat = subprocess.Popen(
            ["leat", "--summary", "--unrun", "rest", "--events", "events", *self.options,
                *([] if self.piped else ["-a", "in"])],
            stdin=subprocess.PIPE if self.piped else subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.slow_reader else open("out", "wb"),
            stderr=open("err", "wb"), env={**os.environ, "TMPDIR": os.path.abspath("tmp"), name: value})
        self.threads = []
        if self.piped:
            self.help(self.produce)
        if self.slow_reader:
            self.help(self.read_slowly)

    def help(self, work):
        self.threads.append(threading.Thread(target=work))
        self.threads[-1].start()

    def produce(self):
        try:
            for task in self.tasks:
                self.leat.stdin.write((task + "\n").encode())
                self.leat.stdin.flush()
                time.sleep(0.001)
        except BrokenPipeError:
            pass
        try:
            self.leat.stdin.close()
        except BrokenPipeError:
            pass

    def read_slowly(self):
        while os.read(self.leat.stdout.fileno(), 50000):
            time.sleep(0.002)

    # Until it receives signals, those that are deadly are so. (pthread_create(3) blocks all
    # for a moment.)
    def await_readiness(self):
        while self.leat.poll() is None:
            with open(f"/proc/{self.leat.pid}/status") as file:
                blocked = re.search("SigBlk:\t(.*)", file.read())
            blocked = int(blocked[1], 16) if blocked else 0
            if blocked >> signal.SIGINT - 1 & 1 and not blocked >> signal.SIGSEGV - 1 & 1:
                return
            time.sleep(0.0005)

    def send(self, name):
        self.sent.append(name)
        self.leat.send_signal(getattr(signal, "SIG" + name))

    def blow(self):
        if not self.early:
            self.await_readiness()
        for name, delay in self.signals:
            time.sleep(delay)
            self.send(name)
        until = time.monotonic() + PATIENCE
        self.send("CONT")
        time.sleep(0.02)
        self.send("TERM")
        while self.leat.poll() is None:
            if time.monotonic() > until:
                self.tell_of_hang()
                raise Wrong("it hangs")
            self.leat.send_signal(signal.SIGCONT)
            time.sleep(0.005)
        for thread in self.threads:
            thread.join()

    def tell_of_hang(self):
        os.system(f"gdb -p {self.leat.pid} -batch -ex 'thread apply all bt 12' 2>/dev/null | grep '^[#T]' >&2;"
            f"ps -eo pid,ppid,stat,args --forest | grep -A30 '[ ]{self.leat.pid} ' | head -40 >&2")
        for pid in [*self.marked(), self.leat.pid]:
            os.kill(pid, signal.SIGKILL)

    # ---- what is left ----

    def check(self):
        self.check_left()
        with open("err", errors="replace") as file:
            accounts = re.findall(r"^leat: (\d+)(\+?) tasks? in [^:]*: (.*)$", file.read(), re.M)
        status = self.leat.returncode
        ran = self.lines("ran")
        if not accounts and self.early and status < 0 and not ran:
            return
        if len(accounts) != 1:
            raise Wrong("no account" if not accounts else "two accounts")
        if status not in STATUSES and (status >= 0 or signal.Signals(-status).name[3:] not in
                set(self.sent) & set(DEADLY)):
            raise Wrong(f"status {status}")
        self.check_account(*accounts[0], [int(number) for number in ran])

    def lines(self, name):
        if not os.path.exists(name):
            return []
        with open(name) as file:
            return file.read().splitlines()

    def check_account(self, total, more, words, ran):
        counts = {name: int(count) for count, name in re.findall(r"(\d+)\+? ([a-z ]+)", words)}
        if sum(counts.values()) != int(total):
            raise Wrong("the counts do not add up")
        if not more and int(total) != len(self.tasks):
            raise Wrong("tasks are missing")
        if more and not self.piped:
            raise Wrong("a file was not counted to its end")
        events = [json.loads(line) for line in self.lines("events")]
        ended = [(event["task"], event["outcome"]) for event in events if event["event"] == "task-ended"]
        outcomes = dict(ended)
        if len(ended) != len(outcomes):
            raise Wrong("a task ended twice")
        if collections.Counter(outcomes.values()) != collections.Counter(counts):
            raise Wrong("the events tell of others than the account")
        rest = self.lines("rest")
        if rest != [self.tasks[number - 1] for number in sorted(outcomes) if outcomes[number] == "unrun"]:
            raise Wrong("--unrun has not what was not run")
        if any(outcomes[number] == "unrun" for number in set(ran)):
            raise Wrong("what ran is unrun")
        if any(outcome == "ok" and number not in ran for number, outcome in outcomes.items()):
            raise Wrong("what is ok did not run")
        if "--retries" not in self.options and len(ran) != len(set(ran)):
            raise Wrong("a task ran twice")

    # Those with the mark in their environment, and whatever has become a child of this.
    def marked(self):
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if self.mark.encode() in file.read().split(b"\0"):
                        found.append(int(pid))
            except OSError:
                pass
        return found

    def check_left(self):
        until = time.monotonic() + PATIENCE
        while self.marked() or self.reap():
            if time.monotonic() > until:
                for pid in self.marked():
                    os.kill(pid, signal.SIGKILL)
                raise Wrong("processes are left")
            time.sleep(0.002)
        if os.listdir("tmp"):
            raise Wrong("files are left in TMPDIR")
        left = set(os.listdir(".")) - LEFT
        if left and not (self.early and all(name.startswith("run.db") for name in left)):
            raise Wrong(f"files are left: {' '.join(left)}")

    # Whether there are children yet.
    def reap(self):
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
            return True
        except ChildProcessError:
            return False


def main():
    first, count = int(sys.argv[1]), int(sys.argv[2])
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for seed in range(first, first + count):
        storm = Storm(seed)
        storm.start()
        try:
            storm.blow()
            storm.check()
        except Wrong as wrong:
            print(f"seed {seed}: {wrong}: status {storm.leat.returncode}, sent {' '.join(storm.sent)}"
                f"{', early' * storm.early}{', piped' * storm.piped}{', slow reader' * storm.slow_reader}")
            print("leat", *storm.options)
            print("\n".join(storm.lines("err")[-12:]))
            sys.exit(1)
    print(f"{count} storms")


main()
