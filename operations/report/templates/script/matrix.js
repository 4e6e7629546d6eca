// The matrix of hosts and checks

const columns = (some) => {
    const told = new Set(some.flatMap((host) => host.checks.filter(isTold).map((check) => check.id)));
    return find("bad-only").checked ? data.checks.filter((id) => told.has(id)) : data.checks;
};

const matrix = (some) => {
    const ids = columns(some);
    if (!some.length) return [];
    const topic = (id) => id.split(".")[0];
    const starts = new Set(ids.filter((id, place) => !place || topic(id) !== topic(ids[place - 1])));
    const edge = (id) => (starts.has(id) ? "edge" : "");
    const label = (id) => make("span", {}, make("i", {}, id.slice(0, id.indexOf(".") + 1)), id.slice(id.indexOf(".") + 1));
    const head = make(
        "thead",
        {},
        make(
            "tr",
            {},
            make("th", { scope: "col" }, "Host"),
            make("th", { scope: "col" }, "Status"),
            ids.map((id) => make("th", { scope: "col", class: `check ${edge(id)}` }, label(id))),
        ),
    );
    const rows = make("tbody", {});
    const row = (group) => {
        const verdicts = new Map(group[0].checks.map((check) => [check.id, check.verdict]));
        return make(
            "tr",
            {},
            make("th", { scope: "row" }, names(group)),
            make("td", { class: `status ${group[0].status}` }, told(group[0].status)),
            ids.map((id) => {
                const verdict = verdicts.get(id);
                if (!verdict) return make("td", { class: edge(id) }, make("span", { class: "hidden" }, "not asked"));
                return make("td", { class: `${verdict} ${edge(id)}` }, mark(verdict), make("span", { class: "hidden" }, verdict));
            }),
        );
    };
    const alike = grouped(some, (host) => host.alike);
    const more = lazily(rows, alike, row, 60);
    const caption = make(
        "caption",
        { class: "hidden" },
        `Checks of ${counted(some.length, "host")}; hosts with the same results share a row.`,
    );
    const table = make("table", { class: "matrix" }, caption, head, rows);
    return [make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Checks by host, scrolls" }, table), more];
};
