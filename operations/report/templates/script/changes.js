// Changes

const fingerprint = (text) => (text ? make("code", {}, text) : make("i", {}, "none"));
const difference = ({ key, before, after }) =>
    make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, fingerprint(before)), make("td", {}, fingerprint(after)));
const file = ({ path, reasons, differences }) =>
    make(
        "li",
        {},
        make("code", {}, path),
        " ",
        make("span", { class: "quiet" }, reasons.join(", ")),
        differences.length
            ? make(
                  "table",
                  { class: "diff" },
                  make("caption", { class: "hidden" }, `What differs in ${path}`),
                  make(
                      "thead",
                      {},
                      make(
                          "tr",
                          {},
                          ["Key", "Before", "Wanted"].map((label) => make("th", { scope: "col" }, label)),
                      ),
                  ),
                  make("tbody", {}, differences.map(difference)),
              )
            : "",
    );
const changed = (host) => [
    host.changes.length
        ? make(
              "ul",
              { class: "done" },
              host.changes.map((line) => make("li", {}, line)),
          )
        : "",
    host.files.length
        ? make(
              "details",
              { class: "changed" },
              make("summary", {}, `${counted(host.files.length, "file")} differed from what is desired`),
              make("ul", { class: "files" }, host.files.map(file)),
          )
        : "",
];
const changes = (some) => {
    const seen = some.filter((host) => host.changes.length || host.files.length);
    if (!seen.length) return [make("p", { class: "calm" }, "Nothing was changed on these hosts.")];
    const list = make("div", { class: "cards" });
    const card = (group) => make("article", { class: "card" }, names(group), changed(group[0]));
    return [
        list,
        lazily(
            list,
            grouped(seen, (host) => host.changesAlike),
            card,
            12,
        ),
    ];
};
