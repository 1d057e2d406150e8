// The link that brings another visitor to these settings, and the button that copies it. A page
// opened by such a link asks the server to restore what it says.
scissor.links = (() => {
  const OURS = ["example", "tau", "retention", "frames", "model", "question"];
  const COPIED = "Copied.", BY_HAND = "Copy it from the field with Ctrl+C.";

  return (element, props, server, trigger, watch) => {
    const at = (name) => element.querySelector(`[data-at="${name}"]`);
    const now = { settings: {}, question: props.question };

    function show() {
      const { example, lead, value, frames, model } = now.settings;
      const query = new URLSearchParams();
      if (example) query.set("example", example);
      if (lead) query.set(lead, String(Number(value.toFixed(lead === "tau" ? 7 : 4))));
      for (const [name, said] of Object.entries({ frames, model, question: now.question }))
        if (said) query.set(name, said);
      at("link").value = `${location.origin}${location.pathname}?${query}`;
      at("own").hidden = Boolean(example);
      at("said").textContent = "";
    }

    async function copy() {
      const field = at("link");
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {  // no clipboard outside https and localhost
        field.select();
        if (!document.execCommand("copy")) return void (at("said").textContent = BY_HAND);
      }
      at("said").textContent = COPIED;
    }

    watch("value", () => {
      at("ignored").textContent = props.value || "";
      at("ignored").hidden = !props.value;
    });
    at("copy").addEventListener("click", copy);
    at("link").addEventListener("focus", () => at("link").select());
    scissor.hear("settings", (settings) => { now.settings = settings; show(); });
    scissor.hear("question", (question) => { now.question = question.trim(); show(); });
    const given = new URLSearchParams(location.search);
    if (OURS.some((name) => given.has(name))) setTimeout(() => trigger("arrive", { query: location.search }));
  };
})();
