// The filter

const update = () => {
    const asked = find("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const status = find("filter").elements.status.value;
    const some = hosts.filter(
        (host) => (status === "all" || host.status === status) && asked.every((word) => host.text.includes(word)),
    );
    find("shown").textContent =
        some.length === hosts.length
            ? `All ${counted(hosts.length, "host")}`
            : `${some.length} of ${counted(hosts.length, "host")}`;
    pending = [];
    for (const [section, fill] of Object.entries({ failures, fleet: matrix, services, timeline, changes }))
        body(section).replaceChildren(...fill(some));
};

const statuses = ["ok", "changed", "failed", "unreachable"].map((status) => [
    status,
    hosts.filter((host) => host.status === status).length,
]);
for (const [status, count] of [["all", hosts.length], ...statuses.filter(([, count]) => count)]) {
    const input = make("input", { type: "radio", name: "status", value: status, ...(status === "all" ? { checked: "" } : {}) });
    find("statuses").append(
        make("label", { class: "chip" }, input, status === "all" ? "all" : told(status), " ", make("b", {}, count)),
    );
}
find("legend").append(...["ok", "warning", "failed", "unknown", "skipped"].map((verdict) => make("span", {}, told(verdict))));
find("bars").append(
    ...Object.keys(HEIGHTS).map((result) =>
        make(
            "span",
            {},
            draw(
                "svg",
                { class: "sample", viewBox: "0 0 24 16", width: 24, height: 16, "aria-hidden": "true" },
                bar(result, 0, 24),
            ),
            " ",
            result,
        ),
    ),
);
find("filter").addEventListener("input", update);
find("filter").addEventListener("submit", (event) => event.preventDefault());
narrow.addEventListener("change", update);
update();
