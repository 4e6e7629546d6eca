// The timeline

const seconds = (value) =>
    value === undefined ? "" : value >= 100 ? `${Math.round(value)} s` : `${value.toFixed(value < 10 ? 2 : 1)} s`;
const timed = (host) => host.steps.filter((step) => step.start !== undefined);
const HEIGHTS = { "no change": 4, changed: 10, failed: 16 };
const bar = (result, x, width) =>
    draw("rect", { class: result.replace(" ", "-"), x, width, y: 8 - HEIGHTS[result] / 2, height: HEIGHTS[result] });

const timeline = (some) => {
    const seen = some
        .filter((host) => timed(host).length)
        .sort((a, b) => timed(a)[0].start - timed(b)[0].start || compare(a.name, b.name));
    if (!seen.length) return [make("p", { class: "calm" }, "No step was run on these hosts.")];
    let [first, last] = [Infinity, 0];
    for (const host of seen)
        for (const step of timed(host)) [first, last] = [Math.min(first, step.start), Math.max(last, step.start + step.took)];
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
        const failed = steps
            .filter((step) => step.result === "failed")
            .map((step) => step.name)
            .join(", ");
        const end = steps.at(-1).start + steps.at(-1).took;
        return make(
            "tr",
            {},
            make("th", { scope: "row" }, opener(host)),
            make(
                "td",
                { class: "bars" },
                draw(
                    "svg",
                    { viewBox: "0 0 1000 16", preserveAspectRatio: "none", "aria-hidden": "true", focusable: "false" },
                    bars,
                ),
                make(
                    "span",
                    { class: "hidden" },
                    `${counted(steps.length, "step")}, from ${seconds(steps[0].start - first)} to ${seconds(end - first)}. `,
                ),
                failed && make("span", { class: "failed" }, mark("failed"), ` failed at “${failed}”`),
            ),
            make("td", { class: "took" }, seconds(end - steps[0].start)),
        );
    };
    const table = make(
        "table",
        { class: "timeline" },
        make("caption", { class: "hidden" }, "When each host's steps ran, by their start"),
        make(
            "thead",
            {},
            make(
                "tr",
                {},
                make("th", { scope: "col" }, "Host"),
                make(
                    "th",
                    { scope: "col" },
                    make("span", { class: "hidden" }, "Steps over time"),
                    make("div", { class: "ticks", "aria-hidden": "true" }, ticks),
                ),
                make("th", { scope: "col", class: "took" }, "Took"),
            ),
        ),
        rows,
    );
    const more = lazily(rows, seen, row, 40);
    return [table, more];
};
