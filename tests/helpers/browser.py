"""A headless Chromium, by way of chromedriver (WebDriver, a JSON protocol over HTTP).

    browser.py start    start a session; print its address
    browser.py end      end the session $BROWSER
    browser.py          run the Python on standard input, with what is defined here
"""
import base64
import json
import os
import sys
import time
import urllib.request

SESSION = os.environ.get("BROWSER", "")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # W3C WebDriver, 11. Elements


def call(method, url, body=None):
    data = None if method != "POST" else json.dumps(body or {}).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=50) as answer:
        return json.load(answer)["value"]


def start(driver):
    options = {
        "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--hide-scrollbars", "--window-size=1200,1000", "--force-device-scale-factor=1",
                 "--disable-background-networking", "--no-first-run"],
    }
    always = {"browserName": "chrome", "goog:chromeOptions": options,
              "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
    session = call("POST", f"{driver}/session", {"capabilities": {"alwaysMatch": always}})
    return f"{driver}/session/{session['sessionId']}"


def post(path, **body):
    return call("POST", f"{SESSION}/{path}", body)


def devtools(command, **parameters):
    return post("goog/cdp/execute", cmd=command, params=parameters)


def js(code, *arguments):
    """The value of an expression, in which a0, a1, … are the arguments."""
    names = "".join(f"const a{number} = arguments[{number}];" for number in range(len(arguments)))
    return post("execute/sync", script=f"{names} return ({code});", args=list(arguments))


def until(code, *arguments):
    """Wait until an expression is true; what it is then."""
    for _ in range(1500):
        value = js(code, *arguments)
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"never: {code}")


def open_page(name, width=1200, height=1000):
    resize(width, height)
    log("browser")
    log("performance")
    post("url", url="file://" + os.path.abspath(name))
    until("document.documentElement.dataset.ready === ''")
    settle()


def settle():
    """Until the page has drawn what has changed, and glides no more."""
    until("!frame && !easing")
    post("execute/async", script="const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done()));", args=[])
    until("!frame && !easing")


def resize(width, height):
    devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)


def scheme(name):
    """light or dark, as the reader prefers."""
    devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])


def log(kind):
    return post("se/log", type=kind)


def text(selector):
    return js("document.querySelector(a0)?.innerText", selector)


def actions(kind, identity, *steps, **more):
    post("actions", actions=[{"type": kind, "id": identity, "actions": list(steps), **more}])
    settle()


def to(place):
    return {"type": "pointerMove", "duration": 0, "x": round(place["x"]), "y": round(place["y"]), "origin": "viewport"}


def pointer(*steps):
    actions("pointer", "mouse", *steps, parameters={"pointerType": "mouse"})


DOWN, UP = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}


def move(place):
    pointer(to(place))


def click(place):
    pointer(to(place), DOWN, UP)


def drag(place, by):
    pointer(to(place), DOWN, to({"x": place["x"] + by / 2, "y": place["y"]}),
            to({"x": place["x"] + by, "y": place["y"]}), UP)


def wheel(place, by):
    actions("wheel", "wheel", {"type": "scroll", "duration": 0, "deltaX": 0, "deltaY": by,
                               "x": round(place["x"]), "y": round(place["y"]), "origin": "viewport"})


SHIFT, ENTER, ESCAPE, LEFT, UP_KEY, RIGHT, DOWN_KEY = "\ue008", "\ue007", "\ue00c", "\ue012", "\ue013", "\ue014", "\ue015"


def keys(*names):
    steps = [{"type": kind, "value": name} for name in names for kind in ("keyDown", "keyUp")]
    actions("key", "keyboard", *steps)


def hold(name):
    actions("key", "keyboard", {"type": "keyDown", "value": name})


def release(name):
    actions("key", "keyboard", {"type": "keyUp", "value": name})


def bar(task, attempt=1):
    """Where in the window an attempt's bar is: its middle, or that of what is in view."""
    return js("""(() => {
        const index = Array.from(attempts.task.keys()).find(each =>
            tasks.number[attempts.task[each]] === a0 && attempts.number[each] === a1);
        const box = chart.getBoundingClientRect();
        const left = Math.max(toX(attempts.start[index]), GUTTER), right = Math.min(toX(attempts.end[index]), size.width - EDGE);
        return {x: box.left + (left + right) / 2, width: right - left,
            y: box.top + AXIS + laneTop(attempts.slot[index] - 1) + size.lane / 2};
    })()""", task, attempt)


def center(selector):
    return js("""(() => {
        const found = document.querySelector(a0);
        found.scrollIntoView({block: "center"});
        const box = found.getBoundingClientRect();
        return {x: box.left + Math.min(box.width / 2, 100), y: box.top + box.height / 2};
    })()""", selector)


def span():
    """What is in view, of how much: microseconds."""
    return js("[view.from, view.to, total]")


def pixel(place):
    """The colour that the bars' canvas has there, as [red, green, blue, alpha]."""
    return js("""(() => {
        const box = canvases.bars.getBoundingClientRect();
        return [...canvases.bars.getContext("2d").getImageData(Math.round(a0.x - box.left), Math.round(a0.y - box.top), 1, 1).data];
    })()""", place)


def least_contrast(*selectors):
    """The least contrast of text with what is behind it (WCAG 2.2, 1.4.3), and where."""
    return js("""(() => {
        const parse = colour => {
            const canvas = new OffscreenCanvas(1, 1), context = canvas.getContext("2d");
            context.fillStyle = colour;
            context.fillRect(0, 0, 1, 1);
            return [...context.getImageData(0, 0, 1, 1).data];
        };
        const light = ([red, green, blue]) => [red, green, blue].map(part => part / 255)
            .map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
            .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
        const behind = found => {
            for (; found; found = found.parentElement)
                if (parse(getComputedStyle(found).backgroundColor)[3] === 255)
                    return getComputedStyle(found).backgroundColor;
            return "white";
        };
        const all = a0.flatMap(selector => [...document.querySelectorAll(selector)].slice(0, 50).map(found => {
            const lights = [getComputedStyle(found).color, behind(found)].map(colour => light(parse(colour)));
            return [(Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05), selector];
        }));
        return [all.length, ...all.sort((a, b) => a[0] - b[0])[0]];
    })()""", list(selectors))


def shot(name, whole=False):
    if whole:
        height = js("document.documentElement.scrollHeight")
        resize(js("innerWidth"), height)
        settle()
    with open(name, "wb") as file:
        file.write(base64.b64decode(call("GET", f"{SESSION}/screenshot")))


def print_page(name):
    with open(name, "wb") as file:
        file.write(base64.b64decode(post("print", page={"width": 21.0, "height": 29.7}, background=True)))


def errors():
    return [entry["message"] for entry in log("browser") if entry["level"] == "SEVERE"]


def requests():
    """The addresses of all that was asked for since the page was opened."""
    events = [json.loads(entry["message"])["message"] for entry in log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


if __name__ == "__main__":
    if sys.argv[1:2] == ["start"]:
        print(start(sys.argv[2]))
    elif sys.argv[1:] == ["end"]:
        call("DELETE", SESSION)
    else:
        exec(compile(sys.stdin.read(), "test", "exec"))
