// One host

const table = (label, heads, rows) =>
    make(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": label },
        make(
            "table",
            { class: "list" },
            make("caption", {}, label),
            make(
                "thead",
                {},
                make(
                    "tr",
                    {},
                    heads.map((head) => make("th", { scope: "col" }, head)),
                ),
            ),
            make("tbody", {}, rows),
        ),
    );

const open = (host) => {
    const cell = (...content) => make("td", {}, content);
    const parts = [
        make(
            "p",
            {},
            told(host.status),
            host.password
                ? ` · the password was last changed ${new Date(host.password * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`
                : "",
        ),
    ];
    if (host.error) parts.push(make("div", { class: "card failed" }, lines(["Error", host.error])));
    if (host.services.length) parts.push(make("h3", {}, "Services"), graph(host.services));
    if (host.checks.length)
        parts.push(
            table(
                "Checks",
                ["Check", "Verdict", "Found"],
                host.checks.map((check) =>
                    make(
                        "tr",
                        { class: check.verdict },
                        make("th", { scope: "row" }, check.id),
                        make("td", { class: "status" }, told(check.verdict)),
                        make("td", { class: "wide" }, check.detail, lines(["Cause", check.cause], ["Remedy", check.remedy])),
                    ),
                ),
            ),
        );
    if (host.changes.length || host.files.length) parts.push(make("h3", {}, "Changes"), ...changed(host));
    if (host.steps.length)
        parts.push(
            table(
                "Steps",
                ["Step", "Result", "Began", "Took"],
                host.steps.map((step) =>
                    make(
                        "tr",
                        {},
                        make("th", { scope: "row" }, step.name),
                        make("td", { class: `status ${step.result.replace(" ", "-")}` }, step.result),
                        cell(lasted(step.start)),
                        cell(lasted(step.took)),
                    ),
                ),
            ),
        );
    find("host-name").textContent = host.name;
    body("host").replaceChildren(...parts.flat(Infinity).filter(Boolean));
    find("host").showModal();
    find("host").scrollTop = 0;
};
