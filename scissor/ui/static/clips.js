// Example clips as cards, and the strip of sampled frames.
scissor.examples = (element, props, server, trigger) => {
  element.firstElementChild.replaceChildren(...props.cards.map((card, index) =>
    scissor.make("button", { type: "button", title: card.credit, "aria-label": `Example: ${card.title}. ${card.credit}`, onclick: () => trigger("pick", { index }) },
      scissor.make("img", { src: card.picture, alt: "" }), scissor.make("span", {}, card.title))));
};

scissor.strip = (element) => {
  scissor.hear("scene", (scene) => {
    element.replaceChildren(
      scissor.make("div", { class: "sc-strip" }, ...scene.pictures.map((source, frame) =>
        scissor.make("img", { src: source, alt: `Frame ${frame + 1}, at ${scene.times[frame].toFixed(1)} s`, title: `${scene.times[frame].toFixed(1)} s` }))),
      scissor.make("p", {}, `${scissor.many(scene.pictures.length, "frame")} of ${scene.grid[0]} × ${scene.grid[1]} = ${scene.grid[0] * scene.grid[1]} tokens each`));
  });
};

scissor.status = (element, props, server, trigger, watch) => {
  const show = () => {
    const { text = "", kind = "" } = props.value || {};
    element.firstElementChild.className = `sc-status sc-${kind || "quiet"}`;
    element.firstElementChild.textContent = text;
  };
  watch("value", show);
  show();
};

// Enter in the number of frames means it, as leaving the field does.
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target.matches?.("#sc-count input[type=number]")) event.target.blur();
});
