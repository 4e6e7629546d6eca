// Hosts, with what the pool holds for them

const compare = new Intl.Collator("en", { numeric: true }).compare;
const hosts = data.hosts
    .map((host) => ({
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
    }))
    .sort((a, b) => compare(a.name, b.name));
const isBad = (check) => check.verdict === "failed" || check.verdict === "unknown";
const isTold = (check) => isBad(check) || check.verdict === "warning";
for (const host of hosts) {
    const wrong = host.checks.filter(isTold).flatMap((check) => [check.id, check.detail, check.cause]);
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
    const shown = runs
        .slice(0, 6)
        .map((run) => (run.length > 2 ? `${run[0].name} … ${run.at(-1).name}` : run.map((host) => host.name).join(", ")));
    return shown.join(", ") + (runs.length > 6 ? " …" : "");
};
const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
const opener = (host) => button(host.name, () => open(host), { class: "link" });

// The hosts by name, each a way to its details: one alone, or a list that is made when it is opened
const names = (some) => {
    if (some.length === 1) return opener(some[0]);
    const list = make("div", { class: "names" });
    const details = make(
        "details",
        {},
        make("summary", {}, folded(some), " ", make("small", {}, counted(some.length, "host"))),
        list,
    );
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
addEventListener("beforeprint", () => {
    pending.forEach((draw) => draw());
    for (const files of document.querySelectorAll("details.changed")) files.open = true;
});
