// Failures, and behind them warnings

const lines = (...pairs) =>
    make(
        "dl",
        {},
        pairs.filter(([, text]) => text).map(([label, text]) => [make("dt", {}, label), make("dd", {}, text)]),
    );

const details = (pairs) => {
    const same = grouped(pairs, ([, check]) => check.detail);
    const items = same.map((group) => [
        same.length > 1 ? make("b", {}, folded(group.map(([host]) => host)), ": ") : "",
        group[0][1].detail,
    ]);
    if (items.length < 2) return items.flat();
    const list = make("ul", {});
    return [list, lazily(list, items, (item) => make("li", {}, item), 5)];
};

const failures = (some) => {
    const broken = some.filter((host) => host.error || (host.status === "failed" && !host.checks.some(isBad)));
    const errors = grouped(broken, (host) => `${host.status} ${host.error}`).map(
        (group) => () =>
            make(
                "article",
                { class: "card failed" },
                make("h3", {}, mark(group[0].status), " ", group[0].status, " "),
                names(group),
                lines(["Error", group[0].error || "no reason was given"]),
            ),
    );
    const pairs = some.flatMap((host) => host.checks.filter(isTold).map((check) => [host, check]));
    const place = ([, check]) => data.checks.indexOf(check.id) + (isBad(check) ? 0 : data.checks.length);
    pairs.sort((a, b) => place(a) - place(b));
    const checks = grouped(pairs, ([, check]) => JSON.stringify([check.id, check.verdict, check.cause, check.remedy])).map(
        (group) => () => {
            const check = group[0][1];
            return make(
                "article",
                { class: `card ${check.verdict}` },
                make("h3", {}, mark(check.verdict), " ", check.id, " ", make("small", {}, check.verdict)),
                names(group.map(([host]) => host)),
                lines(["Found", details(group)], ["Cause", check.cause], ["Remedy", check.remedy]),
            );
        },
    );
    const cards = [...errors, ...checks];
    if (!cards.length) return [make("p", { class: "calm" }, mark("ok"), " Nothing is wrong with these hosts.")];
    const list = make("div", { class: "cards" });
    return [list, lazily(list, cards, (card) => card(), 20)];
};
