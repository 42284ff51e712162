#!/usr/bin/env python3
"""The page (/ui) in a real Chromium, on the recorded shop (tests/data/ui, ui_record.py): an agent with a token, and a person who looks for what went wrong at 14:03.

What the page shows is held against what the API says and what `dbtrail-shim undo` writes; rows hold text that would like to be a script. `--pictures` writes
the pictures of docs/ui.md.
"""
import argparse
import collections
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.request

from browser import Browser
from harness import ROOT, Counter, Process, binary, finish
from ui_record import BUG, HOSTILE

TOKEN = "tökén of the page"
LOG = os.path.join(ROOT, "tests/data/ui/shop.binlog")
SINCE, UNTIL = "2026-04-27T13:46:00.000000Z", "2026-04-27T14:19:59.999999Z"
WINDOW = "since=%s&until=%s" % (SINCE, UNTIL)


class Shop:
    """An agent on the recording."""

    def __init__(self, folder):
        self.tokens = os.path.join(folder, "tokens")
        self.let_in(TOKEN)
        self.process = Process([binary(), "agent", "--binlog", LOG, "--server-id", "shop-1", "--listen", "127.0.0.1:0", "--token-file", self.tokens], os.path.join(folder, "agent.log"))
        self.process.wait_for("a page to look at it")
        self.url = re.search(r"listens on (http://\S+)", self.process.output()).group(1)

    def let_in(self, token):
        with open(self.tokens, "w", encoding="utf-8") as file:
            file.write(token + "\n")

    def post(self, path, **body):
        request = urllib.request.Request(self.url + path, json.dumps({"server_id": "shop-1", **body}).encode(), {"Authorization": "Bearer " + TOKEN.encode().decode("latin-1")})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return [json.loads(line) for line in answer.read().decode().splitlines()]

    def events(self, table, since, until, key=("id",), values=None):
        keys = {"columns": list(key), **({"values": values} if values else {"scan": {}})}
        lines = self.post("/v1/diff", schema=table.split(".")[0], table=table.split(".")[1], keys=keys, since=since, until=until)
        return [line["event"] for line in lines if "event" in line]

    def undo(self, *arguments):
        """What the command writes."""
        made = subprocess.run([binary(), "undo", "--agent", self.url, "--token-file", self.tokens, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        assert made.returncode == 0, made.stderr
        return made.stdout.decode()


def ready(browser):
    browser.wait("document.querySelector('#chart svg') && document.querySelector('#transactions .transaction, #transactions .nothing') && !document.querySelector('[aria-busy]')")


def enter(browser, shop, fragment=""):
    browser.open(shop.url + "/healthz")
    browser.open(shop.url + "/ui" + ("#" + fragment if fragment else ""))
    browser.wait("!document.getElementById('door').hidden || !document.getElementById('desk').hidden")
    if browser.run("return !document.getElementById('door').hidden"):
        browser.type("#token", TOKEN)
        browser.press("Enter")
    ready(browser)


def door(browser, shop, count):
    browser.open(shop.url + "/ui")
    browser.wait("document.activeElement.id === 'token'")
    count.equal(browser.run("return document.getElementById('desk').hidden"), True, "nothing is shown without a token")
    browser.type("#token", "wrong")
    browser.press("Enter")
    browser.wait("!document.getElementById('login-error').hidden")
    count.equal(browser.text("#login-error"), "That is not one of this agent's tokens.", "a wrong token")
    count.equal(browser.run("return sessionStorage.length"), 0, "a wrong token is not kept")
    browser.type("#token", TOKEN)
    browser.click("#login button")
    ready(browser)
    count.equal(browser.run("return [Object.keys(sessionStorage).join(), localStorage.length, document.cookie]"), ["dbtrail-token", 0, ""], "the token is kept in the tab alone")
    names = browser.run("return [...document.querySelectorAll('#tables button')].map(b => b.innerText.replace(/\\n/g, ' '))")
    count.equal(names, ["All tables", "log gone", "notes", "customers", "order_lines", "orders"], "tables")


def bars(browser, shop, count):
    """Counts, by each change by itself."""
    enter(browser, shop, "schema=shop&table=orders&" + WINDOW)
    wanted = collections.defaultdict(lambda: [0, 0, 0])
    for event in shop.events("shop.orders", SINCE, UNTIL):
        wanted[event["event_timestamp"][:16].replace("T", " ") + ":00"][["INSERT", "UPDATE", "DELETE"].index(event["event_type"])] += 1
    browser.run("document.getElementById('chart-numbers').open = true")
    rows = browser.run("return [...document.querySelectorAll('#chart-numbers tbody tr')].map(r => [...r.children].map(c => c.innerText))")
    count.equal({row[0]: [int(n) for n in row[1:4]] for row in rows}, dict(wanted), "changes a minute")
    count.equal(browser.text("#chart-title"), "Changes a minute", "title")
    sums = [sum(kinds[i] for kinds in wanted.values()) for i in range(3)]
    count.equal(re.findall(r"\d+", browser.text("#legend")), [str(n) for n in sums], "legend")
    heights = browser.run("return [...document.querySelectorAll('#chart .step')].map(s => Object.fromEntries([...s.querySelectorAll('rect')].map(r => [r.getAttribute('class'), +r.getAttribute('height')])))")
    count.equal([sorted(h) for h in heights], [sorted(k for k, n in zip(("inserted", "updated", "deleted"), wanted["2026-04-27 %s:00" % m]) if n) for m in ["%02d:%02d" % divmod(13 * 60 + 46 + i, 60) for i in range(34)]], "bars by kind")
    tall, small = heights[17]["updated"], heights[16]["updated"]
    want = wanted["2026-04-27 14:03:00"][1] / wanted["2026-04-27 14:02:00"][1]
    count.check(abs(tall / small / want - 1) < 0.35, "heights are as the numbers", (tall, small), want)
    # The bar of 14:03, by mouse: closer; and back.
    box = browser.run("const r = document.querySelector('#chart .step[data-step=\"17\"] rect').getBoundingClientRect(); return [Math.round(r.x + r.width / 2), Math.round(r.y + r.height / 2)]")
    browser.call("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [{"type": "pointerMove", "x": box[0], "y": box[1]}]}]})
    count.check("132 updated" in browser.text("#tip") or str(wanted["2026-04-27 14:03:00"][1]) + " updated" in browser.text("#tip"), "what the pointer is on", browser.text("#tip"))
    browser.call("/actions", {"actions": [{"type": "pointer", "id": "mouse", "actions": [{"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}]}]})
    browser.wait("document.getElementById('since').value === '2026-04-27 14:03:00'")
    ready(browser)
    count.equal(browser.run("return document.getElementById('until').value"), "2026-04-27 14:03:59.999999", "a bar is a minute")
    count.equal(browser.text("#chart-title"), "Changes per second", "closer")
    count.check("since=2026-04-27T14%3A03%3A00.000000Z" in browser.run("return location.hash"), "the address says the window")
    browser.click("#back")
    browser.wait("document.getElementById('since').value === '2026-04-27 13:46:00'")
    ready(browser)


def all_tables(browser, shop, count):
    """Rows of every table, in the order of the log."""
    since, until = "2026-04-27T14:05:30.000000Z", "2026-04-27T14:05:59.999999Z"
    enter(browser, shop, "since=%s&until=%s" % (since, until))
    browser.click("#tab-rows")
    wanted = sorted((e["event_id"], "%s %s" % (t, " ".join("%s = %s" % kv for kv in zip(key, e["key"])).replace(" line", ", line")))
                    for t, key in (("shop.orders", ("id",)), ("shop.order_lines", ("order_id", "line"))) for e in shop.events(t, since, until, key))
    browser.wait("document.querySelectorAll('#rows tbody tr').length === %d" % len(wanted))
    shown = browser.run("return [...document.querySelectorAll('#rows tbody button.link')].map(b => b.textContent.replace(/\\s+/g, ' '))")
    count.equal(shown, [text for _, text in wanted], "changes of all tables")
    count.check(len({text.split()[0] for text in shown}) == 2, "of more than one", shown[:5])
    browser.click("#rows tbody tr")
    browser.wait("document.querySelector('#timeline .beside')")
    count.check(shown[0].startswith(browser.text("#life-title").split()[0]), "the life of a row of its table", browser.text("#life-title"))
    browser.press("Escape")
    browser.click("#tab-transactions")


def incident(browser, shop, count, folder):
    """The transaction with most rows, its rows, a life, the undo."""
    browser.run("const s = document.querySelector('#transactions select'); s.value = 'rows'; s.dispatchEvent(new Event('change'))")
    browser.wait("document.querySelector('.transaction .signed')?.innerText === '~132'")
    first = browser.text(".transaction")
    count.check("UPDATE shop.orders SET status = 'cancelled', changed = NOW() WHERE customer_id BETWEEN 100 AND 200" in first, "its statement", first)
    count.check(re.search(r"connection \d+\s+server \d+\s+0-\d+-\d+", first) is not None, "by whom", first)
    gtid = re.search(r"0-\d+-\d+", first).group()
    browser.click(".transaction .chip.link")
    browser.wait("document.querySelectorAll('#rows tbody tr').length === 132")
    browser.run("[...document.querySelectorAll('#rows .key')].find(k => k.innerText === 'id = 100').closest('button').click()")
    browser.wait("document.querySelectorAll('#timeline .beside').length > 0")
    events = shop.events("shop.orders", "2026-04-27T13:30:00Z", "2026-04-27T14:29:59Z", values=[["100"]])
    shown = browser.run("""return [...document.querySelectorAll('#timeline > li')].map(li => [li.querySelector('.badge').innerText, li.querySelector('time').innerText,
        [...li.querySelectorAll('.beside')].flatMap(t => [...t.querySelectorAll('tbody tr')].map(r => [r.className, r.children[0].querySelector('bdi').textContent, r.children[1].innerText, r.children[2].innerText]))])""")
    columns = ["id", "customer_id", "status", "amount", "note", "token", "changed"]

    def text(cell):
        return "NULL" if cell is None else "0x" + cell["hex"].upper() if isinstance(cell, dict) else cell

    for event, (badge, at, cells) in zip(events, shown):
        count.equal((badge, at), ({"INSERT": "inserted", "UPDATE": "updated"}[event["event_type"]], event["event_timestamp"][:19].replace("T", " ")), "an event of a life")
        before, after = event["before"], event["after"]
        changed = {name for i, name in enumerate(columns) if before and after and before[i] != after[i]}
        count.equal({c[1] for c in cells if c[0] == "changed"}, changed, "what changed is marked")
        got = {c[1]: c[2:] for c in cells}
        # Of what is folded away a browser shows no text.
        for i, name in enumerate(columns):
            if not before or name in changed:
                count.equal(got.get(name), [text(before[i]) if before else "\u2014", text(after[i])], "before beside after: " + name)
    count.equal(len(shown), len(events), "all of its life")
    count.check("<b>today</b>" in browser.text("#timeline"), "markup of a row is text", browser.text("#timeline")[-300:])
    browser.click("#life-window")
    browser.wait("document.querySelectorAll('#timeline > li').length === 1")
    browser.click("#life-undo")
    browser.wait("document.getElementById('undo-sql').textContent.includes('START TRANSACTION')")
    count.check("1 row does not" in browser.text("#undo-told") and "somebody changed the row since" in browser.text("#undo-told"), "a row of later work is left", browser.text("#undo-told"))
    browser.press("Escape")
    browser.press("Escape")
    browser.wait("!document.querySelector('dialog[open]')")
    browser.run("[...document.querySelectorAll('#rows button')].find(b => b.innerText === 'Undo these').click()")
    browser.wait("document.getElementById('undo-sql').textContent.includes('ROLLBACK')")
    script = shop.undo("--table", "shop.orders", "--gtid", gtid)
    count.equal(browser.run("return document.getElementById('undo-sql').textContent"), script, "the undo on the page")
    browser.devtools("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    browser.click("#undo-copy")
    browser.wait("document.getElementById('undo-copy').textContent === 'Copied'")
    copied = browser.call("/execute/async", {"script": "navigator.clipboard.readText().then(arguments[0], e => arguments[0](String(e)))", "args": []})
    count.equal(copied, script, "the undo that is copied")
    browser.click("#undo-save")
    path, end = os.path.join(browser.downloads, "undo.sql"), time.monotonic() + 10
    while not os.path.exists(path) and time.monotonic() < end:
        time.sleep(0.05)
    with open(path, encoding="utf-8") as file:
        count.equal(file.read(), script, "the undo that is saved")
    browser.click("#undo-options input")
    browser.wait("document.getElementById('undo-sql').textContent.includes('COMMIT;')")
    count.equal(browser.run("return document.getElementById('undo-sql').textContent"), shop.undo("--table", "shop.orders", "--gtid", gtid, "--commit"), "with COMMIT")
    browser.press("Escape")


def hostile(browser, shop, count):
    """Text of rows and of statements stays text."""
    enter(browser, shop, "schema=crm&table=notes&since=2026-04-27T13:30:00Z&until=2026-04-27T13:35:00Z")
    statements = browser.text("#transactions")
    count.check("<img src=x onerror=" in statements, "a statement with markup is text", statements[:500])
    browser.click("#tab-rows")
    browser.wait("document.querySelectorAll('#rows tbody tr').length === %d" % (2 * len(HOSTILE)))
    rows = browser.text("#rows")
    for text in (HOSTILE[0], HOSTILE[1], HOSTILE[5], "U+202E", "\u21e5"):
        count.check(text in rows, "hostile text is shown", rows[-900:], text)
    browser.run("[...document.querySelectorAll('#rows .key')].find(k => k.innerText === 'id = 0').closest('button').click()")
    browser.wait("document.querySelectorAll('#timeline .beside').length > 1")
    count.check(HOSTILE[0] in browser.text("#timeline"), "in a life")
    count.equal(browser.run("return [document.title, document.images.length, document.scripts.length, document.querySelectorAll('b, iframe, object').length]"), ["crm.notes \u00b7 dbtrail", 2, 1, 0], "nothing came to be of it")
    browser.press("Escape")
    # What the policy of the page does to who gets past all that.
    blocked = browser.call("/execute/async", {"script": """const done = arguments[0]; const seen = [];
        document.addEventListener('securitypolicyviolation', e => seen.push(e.effectiveDirective));
        const image = document.createElement('img'); image.src = 'http://127.0.0.2/x'; document.body.append(image);
        try { document.body.innerHTML = '<b>x</b>'; } catch (e) { seen.push(e.name); }
        fetch('http://127.0.0.2/x').catch(() => setTimeout(() => { image.remove(); done(seen.sort()); }, 200));""", "args": []})
    count.check({"TypeError", "connect-src", "img-src"} <= set(blocked), "the policy", blocked)
    browser.complaints()


def keyboard(browser, shop, count):
    """From the door to the undo without a mouse."""
    browser.run("sessionStorage.clear()")
    browser.open(shop.url + "/healthz")
    browser.open(shop.url + "/ui#" + WINDOW)
    browser.wait("document.activeElement.id === 'token'")
    browser.press(*TOKEN)
    browser.press("Enter")
    ready(browser)

    def tab_to(condition, most=60, back=False):
        for _ in range(most):
            if browser.run("const e = document.activeElement; return Boolean(" + condition + ")"):
                return True
            browser.press("Tab", held=("Shift",) if back else ())
        return count.check(False, "by Tab to " + condition, browser.run("return document.activeElement.outerHTML.slice(0, 200)"))

    count.equal(browser.run("return document.activeElement.id"), "content", "behind the door the focus is on what it opened")
    browser.call("/refresh")
    ready(browser)
    browser.press("Tab")
    count.equal(browser.run("return document.activeElement.className"), "skip", "first of all a way past the list of tables")
    tab_to("e.id === 'find-table'")
    browser.press(*"order")
    browser.press("ArrowDown", "ArrowDown", "Enter")
    browser.wait("document.getElementById('title').innerText === 'shop.orders'")
    ready(browser)
    tab_to("e.getAttribute('role') === 'slider'")
    browser.press("Home", *["ArrowRight"] * 17)
    reported = browser.run("return document.activeElement.getAttribute('aria-valuetext')")
    count.check(reported.startswith("2026-04-27 14:03:00: ") and "updated" in reported, "what a screen reader says of a bar", reported)
    browser.press("Enter")
    browser.wait("document.getElementById('since').value === '2026-04-27 14:03:00'")
    ready(browser)
    tab_to("e.getAttribute('role') === 'tab'")
    browser.press("ArrowRight")
    count.equal(browser.run("return document.activeElement.id"), "tab-rows", "arrows move among tabs")
    browser.wait("document.querySelector('#rows tbody tr')")
    tab_to("e.closest('#rows tbody')")
    row = browser.run("return document.activeElement.innerText")
    browser.press("Enter")
    browser.wait("document.querySelector('#timeline .beside')")
    count.check(browser.run("return document.getElementById('life').contains(document.activeElement)"), "the focus is in the dialog")
    for _ in range(30):
        browser.press("Tab")
        if not browser.run("return document.getElementById('life').contains(document.activeElement) || document.activeElement === document.body"):
            count.check(False, "the focus leaves an open dialog", browser.run("return document.activeElement.outerHTML.slice(0, 200)"))
            break
    browser.press("Escape")
    browser.wait("!document.querySelector('dialog[open]')")
    count.equal(browser.run("return document.activeElement.innerText"), row, "the focus is back where it was")
    tab_to("e.id === 'undo-window'", back=True)
    browser.press("Enter")
    browser.wait("document.getElementById('undo-sql').textContent.includes('ROLLBACK')")
    browser.press("Escape")
    unnamed = [node["role"]["value"] for node in browser.devtools("Accessibility.getFullAXTree")["nodes"]
               if not node.get("ignored") and node.get("role", {}).get("value") in ("button", "textbox", "searchbox", "combobox", "slider", "tab", "dialog", "navigation", "tabpanel", "link")
               and not node.get("name", {}).get("value")]
    count.equal(unnamed, [], "everything that can be used has a name")


def colours(browser, shop, count):
    ground = "return getComputedStyle(document.body).backgroundColor"
    light = browser.run(ground)
    browser.devtools("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    dark = browser.run(ground)
    count.check(light != dark and sum(map(int, re.findall(r"\d+", dark))) < 120, "dark as the system", (light, dark))
    browser.run("const t = document.getElementById('theme'); t.value = 'light'; t.dispatchEvent(new Event('change'))")
    count.equal(browser.run(ground), light, "light by choice")
    browser.devtools("Emulation.setEmulatedMedia", features=[])
    browser.run("const t = document.getElementById('theme'); t.value = 'dark'; t.dispatchEvent(new Event('change'))")
    count.equal(browser.run(ground), dark, "dark by choice")
    browser.run("const t = document.getElementById('theme'); t.value = ''; t.dispatchEvent(new Event('change'))")
    # Text against its ground, as the guidelines for contrast reckon it.
    ratios = browser.run("""const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(n => { n /= 255; return n <= .03928 ? n / 12.92 : ((n + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
        const all = []; for (const theme of ['light', 'dark']) { document.documentElement.dataset.theme = theme;
            for (const css of ['.soft', '#title', '#tab-rows', '.badge', '.statement', '#undo-window']) { const e = document.querySelector(css); if (!e) continue; let g = e;
                while (/rgba\\(.*, 0\\)|transparent/.test(getComputedStyle(g).backgroundColor)) g = g.parentElement;
                const [a, b] = [light(getComputedStyle(e).color), light(getComputedStyle(g).backgroundColor)].sort((x, y) => y - x); all.push([theme + ' ' + css, (a + .05) / (b + .05)]); } }
        delete document.documentElement.dataset.theme; return all;""")
    count.equal([(css, round(ratio, 1)) for css, ratio in ratios if ratio < 4.5], [], "contrast")


def refusals(browser, shop, count):
    for since, until, want in (("yesterday", "2026-04-27 14:00", "is no instant"), ("2026-04-27 14:00", "2026-04-27 13:00", "ends before it begins"), ("2026-02-30 10:00", "2026-04-27 13:00", "no time that there was")):
        browser.type("#since", since)
        browser.type("#until", until)
        browser.press("Enter")
        browser.wait("!document.getElementById('window-error').hidden")
        count.check(want in browser.text("#window-error"), "what was typed: " + since, browser.text("#window-error"), want)
    browser.type("#since", "2020-01-01")
    browser.type("#until", "2026-04-27 14:00")
    browser.press("Enter")
    browser.wait("!document.getElementById('chart-error').hidden")
    count.check("lies before the start of the record" in browser.text("#chart-error"), "the agent's own words", browser.text("#chart-error"))
    count.equal(browser.run("return document.querySelectorAll('#chart rect').length"), 0, "no bar of another window stays")
    # A token that is taken away.
    shop.let_in("another")
    time.sleep(1.2)
    browser.type("#since", "2026-04-27 13:50")
    browser.press("Enter")
    browser.wait("!document.getElementById('door').hidden")
    count.check("not one of this agent's any more" in browser.text("#login-error"), "a token that is gone", browser.text("#login-error"))
    count.equal(browser.run("return [document.getElementById('desk').hidden, sessionStorage.getItem('dbtrail-token')]"), [True, None], "nothing is shown any more")


def pictures(browser, shop):
    docs = os.path.join(ROOT, "docs/pictures")
    os.makedirs(docs, exist_ok=True)
    browser.run("sessionStorage.clear()")
    enter(browser, shop, "schema=shop&table=orders&" + WINDOW)
    browser.run("const s = document.querySelector('#transactions select'); s.value = 'rows'; s.dispatchEvent(new Event('change'))")
    browser.wait("document.querySelector('.transaction .signed')?.innerText === '~132'")
    browser.run("document.activeElement.blur()")
    time.sleep(0.3)
    browser.picture(os.path.join(docs, "ui.png"), 1200, 800)
    browser.run("document.querySelector('.transaction .chip.link').click()")
    browser.wait("document.querySelectorAll('#rows tbody tr').length === 132")
    browser.run("[...document.querySelectorAll('#rows .key')].find(k => k.innerText === 'id = 100').closest('button').click()")
    browser.wait("document.querySelectorAll('#timeline .beside').length > 0")
    browser.run("document.documentElement.dataset.theme = 'dark'; document.getElementById('life').scrollTop = 430; document.activeElement.blur()")
    time.sleep(0.3)
    browser.picture(os.path.join(docs, "ui-life.png"), 1200, 800)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--pictures", action="store_true")
    arguments = arguments.parse_args()
    assert BUG
    count = Counter("the page")
    folder = tempfile.mkdtemp(prefix="dbtrail-ui-")
    try:
        shop = Shop(folder)
        with Browser(os.path.join(folder, "driver.log")) as browser:
            if arguments.pictures:
                return pictures(browser, shop)
            door(browser, shop, count)
            all_tables(browser, shop, count)
            bars(browser, shop, count)
            incident(browser, shop, count, folder)
            hostile(browser, shop, count)
            keyboard(browser, shop, count)
            colours(browser, shop, count)
            refusals(browser, shop, count)
            count.equal(browser.complaints(), [], "the browser complains of nothing")
            away = [url for url in browser.asked() if url.startswith(("http", "ws", "ftp")) and not url.startswith((shop.url + "/", "http://127.0.0.2/"))]
            count.equal(away, [], "no request leaves the origin")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    finish([count], 60)


if __name__ == "__main__":
    main()
