"use strict";
{
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const body = (section) => document.querySelector(`#${section} > div`);
  const SYMBOLS = { ok: "✓", failed: "✗", unknown: "?", skipped: "–", changed: "●", unreachable: "⦸" };
  const narrow = matchMedia("(max-width: 44rem)");

  // What a host said only ever becomes text, never markup.
  const filled = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  };
  const make = (kind, attributes, ...children) => filled(document.createElement(kind), attributes, children);
  const draw = (kind, attributes, ...children) => filled(document.createElementNS("http://www.w3.org/2000/svg", kind), attributes, children);
  const button = (text, action, attributes = {}) => {
    const element = make("button", { type: "button", ...attributes }, text);
    element.addEventListener("click", action);
    return element;
  };
  const mark = (word) => make("span", { class: `mark ${word}`, "aria-hidden": "true" }, SYMBOLS[word]);
  const told = (word) => [mark(word), " ", word];

  // Hosts, with what the pool holds for them

  const compare = new Intl.Collator("en", { numeric: true }).compare;
  const hosts = data.hosts.map((host) => ({
    ...host,
    error: data.pool[host.error],
    checks: host.checks.map((place) => data.pool[place]),
    services: data.pool[host.services],
    files: data.pool[host.files],
    changes: data.pool[host.changes],
    steps: host.steps.map(([place, start, took]) => ({ name: data.pool[place][0], result: data.pool[place][1], start, took })),
    alike: `${host.status} ${host.checks.map((place) => `${data.pool[place].id}=${data.pool[place].verdict}`)}`,
    servicesAlike: host.services,
    changesAlike: `${host.files} ${host.changes}`,
  })).sort((a, b) => compare(a.name, b.name));
  const isBad = (check) => check.verdict === "failed" || check.verdict === "unknown";
  for (const host of hosts) {
    const wrong = host.checks.filter(isBad).flatMap((check) => [check.id, check.detail, check.cause]);
    host.text = [host.name, host.status, host.error, ...wrong].join(" ").toLowerCase();
  }

  const grouped = (items, key) => {
    const groups = new Map();
    for (const item of items) {
      const name = key(item);
      groups.has(name) ? groups.get(name).push(item) : groups.set(name, [item]);
    }
    return [...groups.values()];
  };

  // "erni-1 … erni-6, erni-8": neighbours in number become a range
  const folded = (some) => {
    const follows = (one, other) => {
      const [a, b] = [one, other].map((host) => host.name.match(/^(.*?)(\d+)(\D*)$/));
      return a && b && a[1] === b[1] && a[3] === b[3] && Number(b[2]) === Number(a[2]) + 1;
    };
    const runs = [];
    for (const host of some) {
      const run = runs.at(-1);
      run && follows(run.at(-1), host) ? run.push(host) : runs.push([host]);
    }
    const shown = runs.slice(0, 6).map((run) => (run.length > 2 ? `${run[0].name} … ${run.at(-1).name}` : run.map((host) => host.name).join(", ")));
    return shown.join(", ") + (runs.length > 6 ? " …" : "");
  };
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const opener = (host) => button(host.name, () => open(host), { class: "link" });

  // The hosts by name, each a way to its details: one alone, or a list that is made when it is opened
  const names = (some) => {
    if (some.length === 1) return opener(some[0]);
    const list = make("div", { class: "names" });
    const details = make("details", {}, make("summary", {}, folded(some), " ", make("small", {}, counted(some.length, "host"))), list);
    details.addEventListener("toggle", () => list.childElementCount || list.append(...some.map(opener)));
    return details;
  };

  // Only what fits on some screens is drawn at once; the rest when it is asked for, or printed
  let pending = [];
  const lazily = (into, items, render, size) => {
    let shown = 0;
    const more = button("", () => grow(size), { class: "more" });
    const grow = (count) => {
      into.append(...items.slice(shown, shown + count).map(render));
      shown += count;
      const left = items.length - shown;
      more.hidden = left <= 0;
      more.textContent = `Show ${Math.min(size, left)} more of ${left}`;
    };
    grow(size);
    pending.push(() => grow(items.length));
    return more;
  };
  addEventListener("beforeprint", () => pending.forEach((draw) => draw()));

  // Failures

  const lines = (...pairs) => make("dl", {}, pairs.filter(([, text]) => text).map(([label, text]) => [make("dt", {}, label), make("dd", {}, text)]));

  const details = (pairs) => {
    const same = grouped(pairs, ([, check]) => check.detail);
    const items = same.map((group) => [same.length > 1 ? make("b", {}, folded(group.map(([host]) => host)), ": ") : "", group[0][1].detail]);
    if (items.length < 2) return items.flat();
    const list = make("ul", {});
    return [list, lazily(list, items, (item) => make("li", {}, item), 5)];
  };

  const failures = (some) => {
    const broken = some.filter((host) => host.error || (host.status === "failed" && !host.checks.some(isBad)));
    const errors = grouped(broken, (host) => `${host.status} ${host.error}`).map((group) => () =>
      make("article", { class: "card failed" },
        make("h3", {}, mark(group[0].status), " ", group[0].status, " "), names(group),
        lines(["Error", group[0].error || "no reason was given"])));
    const pairs = some.flatMap((host) => host.checks.filter(isBad).map((check) => [host, check]));
    pairs.sort((a, b) => data.checks.indexOf(a[1].id) - data.checks.indexOf(b[1].id));
    const checks = grouped(pairs, ([, check]) => JSON.stringify([check.id, check.verdict, check.cause, check.remedy])).map((group) => () => {
      const check = group[0][1];
      return make("article", { class: `card ${check.verdict}` },
        make("h3", {}, mark(check.verdict), " ", check.id, " ", make("small", {}, check.verdict)), names(group.map(([host]) => host)),
        lines(["Found", details(group)], ["Cause", check.cause], ["Remedy", check.remedy]));
    });
    const cards = [...errors, ...checks];
    if (!cards.length) return [make("p", { class: "calm" }, mark("ok"), " Nothing is wrong with these hosts.")];
    const list = make("div", { class: "cards" });
    return [list, lazily(list, cards, (card) => card(), 20)];
  };

  // The matrix of hosts and checks

  const columns = (some) => {
    const bad = new Set(some.flatMap((host) => host.checks.filter(isBad).map((check) => check.id)));
    return find("bad-only").checked ? data.checks.filter((id) => bad.has(id)) : data.checks;
  };

  const matrix = (some) => {
    const ids = columns(some);
    if (!some.length) return [];
    const topic = (id) => id.split(".")[0];
    const topics = grouped(ids, topic);
    const starts = new Set(topics.map((group) => group[0]));
    const edge = (id) => (starts.has(id) ? " edge" : "");
    const head = make("thead", {},
      make("tr", {}, make("th", { scope: "col", rowspan: 2 }, "Host"), make("th", { scope: "col", rowspan: 2 }, "Status"),
        topics.map((group) => make("th", { scope: "colgroup", colspan: group.length, class: "topic edge" }, make("span", { title: topic(group[0]) }, topic(group[0]))))),
      make("tr", {}, ids.map((id) => make("th", { scope: "col", class: `check${edge(id)}`, title: id }, make("span", {}, id.split(".").slice(1).join(".") || id)))));
    const rows = make("tbody", {});
    const row = (group) => {
      const verdicts = new Map(group[0].checks.map((check) => [check.id, check.verdict]));
      return make("tr", {}, make("th", { scope: "row" }, names(group)), make("td", { class: `status ${group[0].status}` }, told(group[0].status)),
        ids.map((id) => {
          const verdict = verdicts.get(id);
          if (!verdict) return make("td", { class: edge(id) }, make("span", { class: "hidden" }, "not asked"));
          return make("td", { class: `${verdict}${edge(id)}` }, mark(verdict), make("span", { class: "hidden" }, verdict));
        }));
    };
    const alike = grouped(some, (host) => host.alike);
    const more = lazily(rows, alike, row, 60);
    const caption = make("caption", { class: "hidden" }, `Checks of ${counted(some.length, "host")}; hosts with the same results share a row.`);
    const table = make("table", { class: "matrix" }, caption, make("colgroup", {}), head, rows);
    return [make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Checks by host, scrolls" }, table), more];
  };

  // Services as a graph: a column for each distance from those that need nothing

  const health = ({ state, health }) =>
    state === "unknown" || health === "starting" ? "unknown" : state === "running" && ["healthy", ""].includes(health) ? "ok" : "failed";
  const words = ({ state, health }) => (health ? `${state}, ${health}` : state);

  const graph = (services) => {
    const known = new Map(services.map((service) => [service.name, service]));
    const ranks = new Map();
    const rank = (service, on = []) => {
      if (!ranks.has(service)) {
        const needs = service.needs.filter((name) => known.has(name) && !on.includes(name));
        ranks.set(service, Math.max(0, ...needs.map((name) => 1 + rank(known.get(name), [...on, service.name]))));
      }
      return ranks.get(service);
    };
    const layers = grouped([...services].sort((a, b) => rank(a) - rank(b)), rank);
    const down = narrow.matches;
    const width = Math.max(...services.map((service) => Math.max(service.name.length * 7.8 + 44, words(service).length * 6.6 + 44)), 120);
    const [height, gap, between] = [50, 18, down ? 36 : 56];
    const [along, across] = down ? [height + between, width + gap] : [width + between, height + gap];
    const most = Math.max(...layers.map((layer) => layer.length));
    const spots = new Map();
    layers.forEach((layer, depth) => layer.forEach((service, place) => {
      const [a, b] = [depth * along, (place + (most - layer.length) / 2) * across];
      spots.set(service.name, down ? [b, a] : [a, b]);
    }));
    const [deep, wide] = [layers.length * along - between, most * across - gap];
    const [w, h] = down ? [wide, deep] : [deep, wide];
    const edges = services.flatMap((service) => service.needs.filter((name) => spots.has(name)).map((name) => {
      const [[ax, ay], [bx, by]] = [spots.get(name), spots.get(service.name)];
      const [x, y, u, v] = down ? [ax + width / 2, ay + height, bx + width / 2, by] : [ax + width, ay + height / 2, bx, by + height / 2];
      const curve = down ? `C${x} ${y + between / 2} ${u} ${v - between / 2}` : `C${x + between / 2} ${y} ${u - between / 2} ${v}`;
      const tip = down ? `M${u - 4} ${v - 8}L${u} ${v - 1}L${u + 4} ${v - 8}` : `M${u - 8} ${v - 4}L${u - 1} ${v}L${u - 8} ${v + 4}`;
      return draw("path", { class: "edge", d: `M${x} ${y}${curve} ${u} ${v}${tip}` });
    }));
    const nodes = services.map((service) => {
      const [x, y] = spots.get(service.name);
      return draw("g", { class: `node ${health(service)}`, transform: `translate(${x} ${y})` },
        draw("rect", { width, height, rx: 8 }), draw("text", { class: "symbol", x: 14, y: 30 }, SYMBOLS[health(service)]),
        draw("text", { class: "name", x: 34, y: 21 }, service.name), draw("text", { class: "state", x: 34, y: 38 }, words(service)));
    });
    const said = services.map((service) =>
      make("li", {}, `${service.name}: ${words(service)}${service.needs.length ? `; waits for ${service.needs.join(", ")}` : ""}`));
    const image = draw("svg", { viewBox: `-2 -2 ${w + 4} ${h + 4}`, width: w + 4, height: h + 4, "aria-hidden": "true", focusable: "false" }, edges, nodes);
    return [make("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": "Services" }, image, make("ul", { class: "hidden" }, said))];
  };

  const services = (some) => {
    const seen = some.filter((host) => host.services.length);
    if (!seen.length) return [make("p", { class: "calm" }, "No services were looked at.")];
    const list = make("div", { class: "cards" });
    const card = (group) => make("article", { class: "card" }, names(group), graph(group[0].services));
    return [list, lazily(list, grouped(seen, (host) => host.servicesAlike), card, 8)];
  };

  // The timeline

  const seconds = (value) => (value === undefined ? "" : value >= 100 ? `${Math.round(value)} s` : `${value.toFixed(value < 10 ? 2 : 1)} s`);
  const timed = (host) => host.steps.filter((step) => step.start !== undefined);
  const HEIGHTS = { "no change": 4, changed: 10, failed: 16 };
  const bar = (result, x, width) => draw("rect", { class: result.replace(" ", "-"), x, width, y: 8 - HEIGHTS[result] / 2, height: HEIGHTS[result] });

  const timeline = (some) => {
    const seen = some.filter((host) => timed(host).length).sort((a, b) => timed(a)[0].start - timed(b)[0].start || compare(a.name, b.name));
    if (!seen.length) return [make("p", { class: "calm" }, "No step was run on these hosts.")];
    let [first, last] = [Infinity, 0];
    for (const host of seen) for (const step of timed(host)) [first, last] = [Math.min(first, step.start), Math.max(last, step.start + step.took)];
    const span = Math.max(last - first, 0.001);
    const place = (time) => (1000 * (time - first)) / span;
    const ticks = [0, 0.25, 0.5, 0.75, 1].map((share) => make("span", {}, seconds(share * span)));
    const rows = make("tbody", {});
    const row = (host) => {
      const steps = timed(host);
      const bars = steps.map((step) => {
        const rect = bar(step.result, place(step.start), Math.max(3, (1000 * step.took) / span));
        rect.append(draw("title", {}, `${step.name}: ${step.result}, ${seconds(step.took)}`));
        return rect;
      });
      const failed = steps.filter((step) => step.result === "failed").map((step) => step.name).join(", ");
      const end = steps.at(-1).start + steps.at(-1).took;
      return make("tr", {}, make("th", { scope: "row" }, opener(host)),
        make("td", { class: "bars" }, draw("svg", { viewBox: "0 0 1000 16", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" }, bars),
          make("span", { class: "hidden" }, `${counted(steps.length, "step")}, from ${seconds(steps[0].start - first)} to ${seconds(end - first)}. `),
          failed && make("span", { class: "failed" }, mark("failed"), ` ${failed}`)),
        make("td", { class: "took" }, seconds(end - steps[0].start)));
    };
    const table = make("table", { class: "timeline" }, make("caption", { class: "hidden" }, "When each host's steps ran, by their start"),
      make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Host"),
        make("th", { scope: "col" }, make("span", { class: "hidden" }, "Steps over time"), make("div", { class: "ticks", "aria-hidden": "true" }, ticks)),
        make("th", { scope: "col", class: "took" }, "Took"))), rows);
    const more = lazily(rows, seen, row, 40);
    return [table, more];
  };

  // Changes

  const fingerprint = (text) => (text ? make("code", {}, text) : make("i", {}, "none"));
  const difference = ({ key, before, after }) =>
    make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, fingerprint(before)), make("td", {}, fingerprint(after)));
  const file = ({ path, reasons, differences }) => make("li", {}, make("code", {}, path), " ", make("span", { class: "quiet" }, reasons.join(", ")),
    differences.length ? make("table", { class: "diff" }, make("caption", { class: "hidden" }, `What differs in ${path}`),
      make("thead", {}, make("tr", {}, ["Key", "Before", "Wanted"].map((label) => make("th", { scope: "col" }, label)))),
      make("tbody", {}, differences.map(difference))) : "");
  const changed = (host) => [
    host.changes.length ? make("ul", { class: "done" }, host.changes.map((line) => make("li", {}, line))) : "",
    host.files.length ? make("details", {}, make("summary", {}, `${counted(host.files.length, "file")} differed from what is wanted`),
      make("ul", { class: "files" }, host.files.map(file))) : "",
  ];
  const changes = (some) => {
    const seen = some.filter((host) => host.changes.length || host.files.length);
    if (!seen.length) return [make("p", { class: "calm" }, "Nothing was changed on these hosts.")];
    const list = make("div", { class: "cards" });
    const card = (group) => make("article", { class: "card" }, names(group), changed(group[0]));
    return [list, lazily(list, grouped(seen, (host) => host.changesAlike), card, 12)];
  };

  // One host

  const table = (label, heads, rows) => make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
    make("table", { class: "list" }, make("caption", {}, label), make("thead", {}, make("tr", {}, heads.map((head) => make("th", { scope: "col" }, head)))),
      make("tbody", {}, rows)));

  const open = (host) => {
    const cell = (...content) => make("td", {}, content);
    const parts = [make("p", {}, told(host.status), host.password ? ` · redis' ACL file is of ${new Date(host.password * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC` : "")];
    if (host.error) parts.push(make("div", { class: "card failed" }, lines(["Error", host.error])));
    if (host.services.length) parts.push(make("h3", {}, "Services"), graph(host.services));
    if (host.checks.length) parts.push(table("Checks", ["Check", "Verdict", "Found"], host.checks.map((check) =>
      make("tr", { class: check.verdict }, make("th", { scope: "row" }, check.id), make("td", { class: "status" }, told(check.verdict)),
        cell(check.detail, lines(["Cause", check.cause], ["Remedy", check.remedy]))))));
    if (host.changes.length || host.files.length) parts.push(make("h3", {}, "Changes"), ...changed(host));
    if (host.steps.length) parts.push(table("Steps", ["Step", "Result", "Began", "Took"], host.steps.map((step) =>
      make("tr", {}, make("th", { scope: "row" }, step.name), make("td", { class: `status ${step.result.replace(" ", "-")}` }, step.result), cell(seconds(step.start)), cell(seconds(step.took))))));
    find("host-name").textContent = host.name;
    body("host").replaceChildren(...parts.flat(Infinity).filter(Boolean));
    find("host").showModal();
    find("host").scrollTop = 0;
  };

  // The filter

  const update = () => {
    const asked = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const status = find("filter").elements.status.value;
    const some = hosts.filter((host) => (status === "all" || host.status === status) && asked.every((word) => host.text.includes(word)));
    find("shown").textContent = some.length === hosts.length ? `All ${counted(hosts.length, "host")}` : `${some.length} of ${counted(hosts.length, "host")}`;
    pending = [];
    for (const [section, fill] of Object.entries({ failures, fleet: matrix, services, timeline, changes })) body(section).replaceChildren(...fill(some));
  };

  const statuses = ["ok", "changed", "failed", "unreachable"].map((status) => [status, hosts.filter((host) => host.status === status).length]);
  for (const [status, count] of [["all", hosts.length], ...statuses.filter(([, count]) => count)]) {
    const input = make("input", { type: "radio", name: "status", value: status, ...(status === "all" ? { checked: "" } : {}) });
    find("statuses").append(make("label", { class: "chip" }, input, status === "all" ? "all" : told(status), " ", make("b", {}, count)));
  }
  find("legend").append(...["ok", "failed", "unknown", "skipped"].map((verdict) => make("span", {}, told(verdict))));
  find("bars").append(...Object.keys(HEIGHTS).map((result) =>
    make("span", {}, draw("svg", { class: "sample", viewBox: "0 0 24 16", width: 24, height: 16, "aria-hidden": "true" }, bar(result, 0, 24)), " ", result)));
  find("filter").addEventListener("input", update);
  find("filter").addEventListener("submit", (event) => event.preventDefault());
  narrow.addEventListener("change", update);
  update();
}
