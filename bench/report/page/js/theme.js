// The theme: the system's own, or the reader's choice for as long as the page is open.

{
  const order = ["auto", "light", "dark"];
  const button = byId("theme");
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme ?? "auto";
    const next = order[(order.indexOf(now) + 1) % order.length];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    button.textContent = `◐ ${next}`;
    button.setAttribute("aria-label", `Theme: ${next}`);
  });
}
