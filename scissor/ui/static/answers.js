// The two answers. Text arrives as pieces [words, differs] and is only ever set as text.
// An answer dims when clip, question or (kept side) the dials leave what it was made with.
scissor.answers = (() => {
  const { make, marked, count, percent, seconds } = scissor;
  const WAITING = { none: "Run to see this answer.", waiting: "waits for the other answer", reading: "reading the clip’s tokens", stopped: " stopped" };

  class Answers {
    constructor(element, props, trigger) {
      Object.assign(this, { element, props, now: { clip: null, mark: null, retention: null, question: null } });
      this.at = (name) => element.querySelector(`[data-at="${name}"]`);
      this.side = (side) => element.querySelector(`[data-side="${side}"]`);
      this.part = (side, name) => this.side(side).querySelector(`[data-at="${name}"]`);
      this.part("kept", "again").addEventListener("click", () => trigger("again"));
      scissor.hear("redraw", ({ clip, mark, retention }) => { Object.assign(this.now, { clip, mark, retention }); this.compare(); });
      scissor.hear("question", (question) => { this.now.question = question; this.compare(); });
      this.show();
    }

    get value() {
      return this.props.value || {};
    }

    show() {
      const { question, encode, note } = this.value;
      this.at("asked").textContent = question ? `“${question}”` : "";
      this.at("shared").textContent = encode ? `Both share the encoding of the clip: ${seconds(encode)}. ${note ?? ""}` : "";
      for (const side of ["all", "kept"]) this.card(side, this.value[side] || { state: "none" });
      this.compare();
    }

    card(side, { state, model, tokens, retention, text = [], first, compress, total }) {
      this.side(side).dataset.state = state;
      const share = side === "kept" ? ` · ${percent(retention ?? 0)}` : "";
      this.part(side, "tokens").textContent = tokens ? `${model} · ${count(tokens)} tokens${share}` : "";
      this.part(side, "text").replaceChildren(...text.flatMap(([words, differs]) => (differs ? marked(words) : [words])));
      if (WAITING[state]) this.part(side, "text").append(make("i", {}, WAITING[state]));
      const within = side === "kept" ? ` (compress ${seconds(compress)})` : "";
      this.part(side, "times").textContent = first == null ? "" : `first word ${seconds(first)}${within} · total ${seconds(total)}`;
    }

    compare() {
      const { value, now } = this, { all, kept } = value;
      const asked = value.question != null && now.question != null && value.question !== now.question.trim().replace(/\s+/g, " ");
      const other = Boolean(value.clip && now.clip && value.clip !== now.clip);
      const moved = Boolean(kept?.mark && now.mark && kept.mark !== now.mark);
      const why = other ? "Another clip is shown." : asked ? "The question has changed."
        : moved ? `Made with ${percent(kept.retention)}; the dials now say ${percent(now.retention)}.` : "";
      this.side("all").classList.toggle("sc-dim", other || asked);
      this.side("kept").classList.toggle("sc-dim", Boolean(why));
      this.part("kept", "stale").hidden = !(why && ["done", "stopped"].includes(kept?.state));
      this.part("kept", "why").textContent = why;
      this.part("kept", "again").hidden = other || asked;
      scissor.say("times", other ? {} : { before: all?.first, after: kept?.first, old: moved });
    }
  }

  return (element, props, server, trigger, watch) => {
    const answers = new Answers(element, props, trigger);
    watch("value", () => answers.show());
  };
})();
