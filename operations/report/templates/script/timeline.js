// The timeline

// A time in the unit that fits it
const lasted = (seconds) => {
    if (seconds === undefined) return "";
    if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
    if (seconds < 99.5) return `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`;
    const minutes = Math.floor(Math.round(seconds) / 60);
    return minutes < 60 ? `${minutes} min ${Math.round(seconds) % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

// An axis that is at least that long: the seconds at its end, and its labels at equal distances, all in one unit
const STEPS = [
    ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30],
    ...[1, 2, 5, 10, 20, 30, 60, 120, 360, 720, 1440].map((minutes) => minutes * 60),
];
const UNITS = [
    [3600, "h"],
    [60, "min"],
    [0.2, "s", 1],
    [0, "ms", 0.001],
];
const axis = (span) => {
    const step = STEPS.find((seconds) => seconds * 6 >= span) ?? STEPS.at(-1);
    const [least, name, unit = least] = UNITS.find(([seconds]) => step >= seconds);
    const count = Math.max(1, Math.ceil(span / step));
    const labels = Array.from({ length: count + 1 }, (_, place) => `${Number(((place * step) / unit).toFixed(1))} ${name}`);
    return { end: count * step, labels };
};
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
    const { end: span, labels } = axis(last - first);
    const place = (time) => (1000 * (time - first)) / span;
    const ticks = labels.map((label) => make("span", {}, label));
    const rows = make("tbody", {});
    const row = (host) => {
        const steps = timed(host);
        const bars = steps.map((step) => {
            const rect = bar(step.result, place(step.start), Math.max(3, (1000 * step.took) / span));
            rect.append(draw("title", {}, `${step.name}: ${step.result}, ${lasted(step.took)}`));
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
                    `${counted(steps.length, "step")}, from ${lasted(steps[0].start - first)} to ${lasted(end - first)}. `,
                ),
                failed && make("span", { class: "failed" }, mark("failed"), ` failed at “${failed}”`),
            ),
            make("td", { class: "took" }, lasted(end - steps[0].start)),
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
