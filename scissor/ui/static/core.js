// What the page's components share: one bus, decoding of numbers, small helpers.
// A listener that comes late hears the last message again, so components may mount in any order.
window.scissor = (() => {
  const bus = new EventTarget();
  const last = {};

  function say(name, detail) {
    last[name] = detail;
    bus.dispatchEvent(new CustomEvent(name, { detail }));
  }

  function hear(name, listen) {
    bus.addEventListener(name, (event) => listen(event.detail));
    if (name in last) listen(last[name]);
  }

  // Hears a message once, the next time it is said.
  function next(name, listen) {
    bus.addEventListener(name, (event) => listen(event.detail), { once: true });
  }

  function numbers(text, Kind) {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Kind(bytes.buffer);
  }

  function make(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") node.className = value;
      else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child != null));
    return node;
  }

  // Words that differ from the other answer's, marked; the space before them is not.
  function marked(words) {
    const bare = words.trimStart();
    return [words.slice(0, words.length - bare.length), make("mark", {}, bare)];
  }

  // Buttons as a radio group: a click or the arrow keys choose the value data-<key> of one. Returns
  // how to mark the chosen one.
  function radios(found, key, choose) {
    const buttons = [...found];
    const arrows = (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
      next.focus();
      choose(next.dataset[key]);
      event.preventDefault();
    };
    for (const button of buttons) {
      button.addEventListener("click", () => choose(button.dataset[key]));
      button.addEventListener("keydown", arrows);
    }
    return (value) => buttons.forEach((button) => {
      button.setAttribute("aria-checked", String(button.dataset[key] === value));
      button.tabIndex = button.dataset[key] === value ? 0 : -1;
    });
  }

  const count = (n) => Math.round(n).toLocaleString("en");
  const many = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
  const percent = (x) => `${(100 * x).toFixed(x < 0.0995 ? 2 : 1).replace(/\.?0+$/, "")}%`;
  const seconds = (s) => (s == null ? "–" : s < 0.095 ? `${Math.round(1000 * s)} ms` : `${s.toFixed(s < 9.95 ? 1 : 0)} s`);
  const times = (x) => `${x < 9.95 ? x.toFixed(1) : Math.round(x)}×`;

  // Runs `work` with the newest argument only, one call at a time.
  function latest(work) {
    let busy = false, waiting = null;
    return async function call(argument) {
      if (busy) { waiting = { argument }; return; }
      busy = true;
      try { await work(argument); } catch (error) { console.error(error); } finally { busy = false; }
      if (waiting) { const next = waiting; waiting = null; call(next.argument); }
    };
  }

  return { say, hear, next, last, numbers, make, marked, radios, count, many, percent, seconds, times, latest };
})();
