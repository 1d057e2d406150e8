// The Compare tab: one table body a method, its numbers in one row, the same frames below in another.
// Draws the scene that was compared; sorting and what the frames show never ask the server.
scissor.compare = (() => {
  const { paint, make, marked, count, percent, seconds, times } = scissor;
  const FRAMES = 6;
  const ABOUT = {
    groups: "One colour is one kept token. Dropped patches are dark; bare ones are kept alone.",
    rebuilt: "Every patch in the mean colour of its kept token; what a method dropped is black.",
    attention: "How much attention a patch receives in the vision tower: what VisionZip goes by. Others do not look at it.",
  };
  const number = (text, value) => ({ text: value == null ? "–" : text(value), value });
  const COLUMNS = [
    ["Method", (row) => ({ text: row.title, value: null })],
    ["Kept", (row, { all }) => number((n) => `${count(n)} · ${percent(n / all)}`, row.kept)],
    ["Answer", (row) => ({ text: "", value: row.text.map(([words]) => words).join("") })],
    ["Drift", (row) => number((x) => (x < 0.0005 ? "0" : x.toPrecision(2)), row.drift)],
    ["Agreement", (row) => number(percent, row.agreement)],
    ["First word", (row) => number(seconds, row.first)],
    ["Total", (row) => number(seconds, row.total)],
    ["Prefill FLOPs", (row) => number((x) => `÷ ${times(x).slice(0, -1)}`, row.fewer)],
  ];
  const WAITING = { waiting: "waits", reading: "reading …", running: " …", stopped: " stopped" };

  class Compare {
    constructor(element, props) {
      Object.assign(this, { element, props, sort: null, down: false, show: "groups", scene: null, images: [] });
      this.at = (name) => element.querySelector(`[data-at="${name}"]`);
      this.at("heads").replaceChildren(...COLUMNS.map(([title], column) => make("th", { scope: "col", "aria-sort": "none" },
        make("button", { type: "button", onclick: () => this.order(column) }, title))));
      this.mark = scissor.radios(element.querySelectorAll("[data-show]"), "show", (show) => this.choose(show));
      new ResizeObserver(() => this.paint()).observe(element);
      scissor.hear("scene", (scene) => this.load(scene));
    }

    async load(scene) {
      this.scene = scene;
      const drawn = await scissor.pictures(scene);
      if (this.scene !== scene) return;
      Object.assign(this, drawn);
      this.update();
    }

    get board() {
      return this.props.value || {};
    }

    // Results of another clip than the one on the page have no pictures any more: they go.
    update() {
      const { rows = [], clip, question, retention } = this.board, here = rows.length > 0 && clip === scissor.last.redraw?.clip;
      this.clip = scissor.last.redraw?.clip;
      this.at("result").hidden = !here;
      this.at("empty").hidden = here;
      if (!here) return;
      this.at("asked").textContent = `“${question}” at ${percent(retention)}`;
      this.at("about").textContent = ABOUT[this.show];
      const table = this.element.querySelector("table");
      table.querySelectorAll("tbody").forEach((body) => body.remove());
      this.bodies = this.sorted(rows).map((row) => this.body(row));
      table.append(...this.bodies);
      this.paint();
    }

    // A dial's move changes nothing here; another clip does.
    moved() {
      if (this.clip !== scissor.last.redraw.clip) this.update();
    }

    sorted(rows) {
      if (this.sort === null) return rows;
      const value = COLUMNS[this.sort][1], last = this.down ? -Infinity : Infinity;
      const keyed = rows.map((row, k) => ({ row, k, key: value(row, this.board).value ?? (this.sort === 0 ? row.title : last) }));
      const rank = (a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.k - b.k);
      return keyed.sort((a, b) => (this.down ? rank(b, a) : rank(a, b))).map(({ row }) => row);
    }

    order(column) {
      this.down = this.sort === column && !this.down;
      this.sort = column;
      [...this.at("heads").children].forEach((head, k) =>
        head.setAttribute("aria-sort", k !== column ? "none" : this.down ? "descending" : "ascending"));
      this.update();
    }

    choose(show) {
      this.show = show;
      this.mark(show);
      this.at("about").textContent = ABOUT[show];
      this.paint();
    }

    body(row) {
      const cells = COLUMNS.map(([title, value], column) => {
        if (column === 0) return make("th", { scope: "row" }, row.title, make("small", {}, row.line));
        if (title === "Answer") return make("td", { "data-label": title, class: "sc-said" }, ...this.said(row));
        return make("td", { "data-label": title }, value(row, this.board).text);
      });
      const strip = row.views ? make("div", { class: "sc-compare-strip" }, ...this.frames().map(() => make("canvas", { "aria-hidden": "true" }))) : "";
      const body = make("tbody", { "data-method": row.name, "data-state": row.state }, make("tr", {}, ...cells),
        make("tr", { class: "sc-compare-frames" }, make("td", { colspan: COLUMNS.length }, strip)));
      body.row = row;
      return body;
    }

    said({ text, note, state }) {
      const words = text.flatMap(([piece, differs]) => (differs ? marked(piece) : [piece]));
      return [...words, ...(WAITING[state] ? [make("i", {}, WAITING[state])] : []), ...(note ? [make("small", {}, note)] : [])];
    }

    frames() {
      const total = this.images.length, shown = Math.min(FRAMES, total);
      return Array.from({ length: shown }, (_, k) => Math.round(shown > 1 ? k * (total - 1) / (shown - 1) : 0));
    }

    paint() {
      if (!this.bodies || !this.images.length || !this.element.offsetParent) return;
      for (const { row, firstChild } of this.bodies) {
        const strip = firstChild.nextSibling.querySelector("div");
        if (!strip) continue;
        row.drawn ??= Object.fromEntries(Object.entries(row.views).map(([name, view]) => [name, paint.unpack(view, this.props.palette)]));
        this.frames().forEach((frame, k) => this.frame(strip.children[k], frame, row));
      }
    }

    frame(canvas, frame, row) {
      const { scene, images, light, show } = this, { groups, shares } = row.drawn, width = canvas.clientWidth, size = [width, Math.round(width / scene.aspect)];
      canvas.style.height = `${size[1]}px`;
      const ctx = paint.fit(canvas, ...size);
      ctx.drawImage(images[frame], 0, 0, ...size);
      if (show === "attention") return this.attention(ctx, size, frame, row);
      if (show === "rebuilt") {
        ctx.fillStyle = "#000";
        ctx.fillRect(0, 0, ...size);
        paint.mosaic(ctx, size, scene.grid, shares, frame, (row.means ??= paint.meanColours(this.cells, shares)));
        return;
      }
      paint.groups(ctx, size, scene.grid, groups, frame, { opacity: 0.55, fine: false, light });
      const cells = scene.grid[0] * scene.grid[1];
      ctx.fillStyle = "rgba(8, 10, 14, 0.72)";
      for (let token = 0; token < cells; token++)
        if (groups.ids[frame * cells + token] === paint.NONE) ctx.fillRect(...paint.cell(size, scene.grid, token));
    }

    attention(ctx, size, frame, row) {
      if (!row.attends || !this.board.attention) return;
      this.heat ??= Float32Array.from(scissor.numbers(this.board.attention, Uint8Array), (n) => n / 255);
      paint.heat(ctx, size, this.scene.grid, this.heat, frame, 0.6);
    }
  }

  return (element, props, server, trigger, watch) => {
    const compare = new Compare(element, props);
    watch("value", () => { compare.heat = null; compare.update(); });
    scissor.hear("redraw", () => compare.moved());
  };
})();
