// Services as a graph: a layer for each distance from those that wait for nothing

const health = ({ state, health }) => {
    if (state === "unknown" || health === "starting") return "unknown";
    return state === "running" && ["healthy", ""].includes(health) ? "ok" : "failed";
};
const words = ({ state, health }) => (health ? `${state}, ${health}` : state);

// name → what it waits for, and what that waits for, and so on
const reach = (known, name, seen = new Set()) => {
    for (const next of known.get(name)?.needs ?? []) if (!seen.has(next)) reach(known, next, seen.add(next));
    return seen;
};
const layered = (known) => {
    const ranks = new Map();
    const rank = (name, on = []) => {
        if (ranks.has(name)) return ranks.get(name);
        const needs = known.get(name).needs.filter((next) => known.has(next) && ![...on, name].includes(next));
        ranks.set(name, Math.max(0, ...needs.map((next) => 1 + rank(next, [...on, name]))));
        return ranks.get(name);
    };
    return grouped(
        [...known.keys()].sort((a, b) => rank(a) - rank(b)),
        rank,
    );
};

// Where each service is drawn: layers from left to right, or on a narrow screen from top to bottom
const placed = (services, known) => {
    const down = narrow.matches;
    const longest = Math.max(...services.map((service) => Math.max(service.name.length * 7.6, words(service).length * 6.2)), 60);
    const node = { width: longest + (down ? 34 : 40), height: 50 };
    const [gap, between] = [down ? 10 : 18, down ? 36 : 40];
    const [along, across] = down ? [node.height + between, node.width + gap] : [node.width + between, node.height + gap];
    const layers = layered(known);
    const most = Math.max(...layers.map((layer) => layer.length));
    const spots = new Map();
    layers.forEach((layer, depth) =>
        layer.forEach((name, place) => {
            const spot = [depth * along, (place + (most - layer.length) / 2) * across];
            spots.set(name, down ? spot.reverse() : spot);
        }),
    );
    const size = [layers.length * along - between, most * across - gap];
    return { down, node, between, spots, size: down ? size.reverse() : size };
};

const arrow = ({ down, node, between, spots }, from, to) => {
    const [[ax, ay], [bx, by]] = [spots.get(from), spots.get(to)];
    if (down) {
        const [x, y, u, v] = [ax + node.width / 2, ay + node.height, bx + node.width / 2, by];
        const tip = `M${u - 4} ${v - 8}L${u} ${v - 1}L${u + 4} ${v - 8}`;
        return draw("path", { class: "edge", d: `M${x} ${y}C${x} ${y + between / 2} ${u} ${v - between / 2} ${u} ${v}${tip}` });
    }
    const [x, y, u, v] = [ax + node.width, ay + node.height / 2, bx, by + node.height / 2];
    const tip = `M${u - 8} ${v - 4}L${u - 1} ${v}L${u - 8} ${v + 4}`;
    return draw("path", { class: "edge", d: `M${x} ${y}C${x + between / 2} ${y} ${u - between / 2} ${v} ${u} ${v}${tip}` });
};

const box = ({ node, spots }, service) =>
    draw(
        "g",
        { class: `node ${health(service)}`, transform: `translate(${spots.get(service.name).join(" ")})` },
        draw("rect", { ...node, rx: 8 }),
        draw("text", { class: "symbol", x: 10, y: 30 }, SYMBOLS[health(service)]),
        draw("text", { class: "name", x: 28, y: 21 }, service.name),
        draw("text", { class: "state", x: 28, y: 38 }, words(service)),
    );

const graph = (services) => {
    const known = new Map(services.map((service) => [service.name, service]));
    const layout = placed(services, known);
    // what a service also waits for by way of another is told in words, but not drawn
    const direct = (needs) =>
        needs.filter((name) => known.has(name) && !needs.some((other) => other !== name && reach(known, other).has(name)));
    const arrows = services.flatMap(({ name, needs }) => direct(needs).map((need) => arrow(layout, need, name)));
    const [width, height] = layout.size.map((side) => side + 4);
    const image = { viewBox: `-2 -2 ${width} ${height}`, width, height, "aria-hidden": "true", focusable: "false" };
    const said = services.map((service) => {
        const needs = service.needs.length ? `; waits for ${service.needs.join(", ")}` : "";
        return make("li", {}, `${service.name}: ${words(service)}${needs}`);
    });
    const boxes = services.map((service) => box(layout, service));
    return make(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": "Services" },
        draw("svg", image, arrows, boxes),
        make("ul", { class: "hidden" }, said),
    );
};

const services = (some) => {
    const seen = some.filter((host) => host.services.length);
    if (!seen.length) return [make("p", { class: "calm" }, "No services were looked at.")];
    const list = make("div", { class: "cards" });
    const card = (group) => make("article", { class: "card" }, names(group), graph(group[0].services));
    return [
        list,
        lazily(
            list,
            grouped(seen, (host) => host.servicesAlike),
            card,
            8,
        ),
    ];
};
