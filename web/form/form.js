(() => {
  const given = __GIVEN__, script = document.currentScript, opened = performance.now();
  const make = (tag, more, ...inside) => {
    const made = Object.assign(document.createElement(tag), more);
    made.append(...inside);
    return made;
  };
  const said = { label: "Your feedback", send: "Send", thanks: "Thank you!", failed: "That did not work. Try again.",
    name: "Name", email: "E-mail", rating: "Rating, 0 to 10", ...script.dataset };
  const field = (name, tag = "input", more = {}) =>
    make("label", {}, said[name] || said.label, " ", make(tag, { name, ...more }));
  // People neither see this nor reach it; what fills in every field does.
  const bait = make("input", { name: "website", tabIndex: -1, autocomplete: "off" });
  bait.style.cssText = "position:absolute;left:-9999px";
  bait.setAttribute("aria-hidden", "true");
  const status = make("output", {}), button = make("button", {}, said.send);
  const asks = (script.dataset.fields || "name,email").split(",").filter((name) => name in said);
  const kinds = { email: { type: "email" }, rating: { type: "number", min: 0, max: 10 } };
  const form = make("form", { className: "earful" },
    field("body", "textarea", { required: true, maxLength: 50000 }),
    ...asks.map((name) => field(name, "input", kinds[name])), bait, button, status);
  const send = async (event) => {
    event.preventDefault();
    button.disabled = true;
    status.textContent = "";
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ""));
    if (values.rating) values.rating = Number(values.rating);
    const early = given.least * 1000 - (performance.now() - opened);
    if (early > 0) await new Promise((done) => setTimeout(done, early));
    let answer = {};
    try {
      const response = await fetch(script.src.replace(/\.js(\?.*)?$/, ""), { method: "POST", credentials: "omit",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ ...values, stamp: given.stamp, page: location.href.split(/[?#]/)[0] }) });
      answer = { ok: response.ok, ...(await response.json()) };
    } catch { /* said below */ }
    button.disabled = false;
    const wrong = answer.error;
    status.textContent = answer.ok ? said.thanks : wrong?.fields?.[0]?.message || wrong?.message || said.failed;
    if (answer.ok) form.replaceChildren(status);
    script.dispatchEvent(new CustomEvent("earful", { detail: answer, bubbles: true }));
  };
  form.addEventListener("submit", send);
  const target = script.dataset.target && document.querySelector(script.dataset.target);
  target ? target.append(form) : script.after(form);
})();
