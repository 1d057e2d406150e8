// The two answers. Text arrives as pieces [words, differs] and is only ever set as text.
// An answer dims when clip, question or (kept side) the dials leave what it was made with.
scissor.answers = (element, props, server, trigger, watch) => {
  const { make, count, percent, seconds } = scissor;
  const cards = Object.fromEntries(["all", "kept"].map((side) => [side, element.querySelector(`[data-side="${side}"]`)]));
  const part = (side, name) => cards[side].querySelector(`[data-at="${name}"]`);
  const at = (name) => element.querySelector(`[data-at="${name}"]`);
  const now = { clip: null, mark: null, retention: null, question: null };

  function show() {
    const value = props.value || {};
    at("asked").textContent = value.question ? `“${value.question}”` : "";
    for (const side of ["all", "kept"]) card(side, value[side]);
    at("shared").textContent = value.encode ? `Both share the encoding of the clip: ${seconds(value.encode)}.${value.note ? " " + value.note : ""}` : "";
    stale();
  }

  function marked(words) {
    const bare = words.trimStart();
    return [words.slice(0, words.length - bare.length), make("mark", {}, bare)];
  }

  function card(side, answer) {
    cards[side].dataset.state = answer ? answer.state : "none";
    part(side, "tokens").textContent = answer?.tokens ? `${answer.model} · ${count(answer.tokens)} tokens${side === "kept" ? ` · ${percent(answer.retention)}` : ""}` : "";
    const waiting = { waiting: "waits for the other answer", reading: "reading the clip’s tokens" }[answer?.state];
    part(side, "text").replaceChildren(...(answer?.text || []).flatMap(([words, differs]) => (differs ? marked(words) : [words])));
    if (waiting) part(side, "text").append(make("i", {}, waiting));
    if (!answer) part(side, "text").append(make("i", {}, "Run to see this answer."));
    if (answer?.state === "stopped") part(side, "text").append(make("i", {}, " stopped"));
    part(side, "times").textContent = answer?.first == null ? "" :
      `first word ${seconds(answer.first)}${side === "kept" ? ` (compress ${seconds(answer.compress)})` : ""} · total ${seconds(answer.total)}`;
  }

  function stale() {
    const value = props.value || {};
    const asked = value.question != null && now.question != null && value.question.trim() !== now.question.trim();
    const other = value.clip && now.clip && value.clip !== now.clip;
    const moved = value.kept?.mark && now.mark && value.kept.mark !== now.mark;
    const why = other ? "Another clip is shown." : asked ? "The question has changed."
      : moved ? `Made with ${percent(value.kept.retention)}; the dials now say ${percent(now.retention)}.` : "";
    cards.all.classList.toggle("sc-dim", Boolean(other || asked));
    cards.kept.classList.toggle("sc-dim", Boolean(why));
    scissor.say("times", other ? {} : { before: value.all?.first, after: value.kept?.first, old: Boolean(moved) });
    const done = ["done", "stopped"].includes(value.kept?.state);
    part("kept", "stale").hidden = !(why && done);
    part("kept", "why").textContent = why;
    part("kept", "again").hidden = Boolean(other || asked);
  }

  part("kept", "again").addEventListener("click", () => trigger("again"));
  scissor.hear("redraw", ({ clip, mark, retention }) => { Object.assign(now, { clip, mark, retention }); stale(); });
  scissor.hear("question", (question) => { now.question = question; stale(); });
  watch("value", show);
  show();
};
