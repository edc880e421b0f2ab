// Sorting by a column's head, filtering rows by words.

{
  const sortKey = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value === undefined) return cell.textContent.toLowerCase();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };

  /** Rows without a figure stay at the end in both directions. */
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (a < b ? -1 : a > b ? 1 : 0);
  };

  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const bestFirst = head.dataset.better === "higher" ? "descending" : "ascending";
        const other = bestFirst === "ascending" ? "descending" : "ascending";
        const next = head.getAttribute("aria-sort") === bestFirst ? other : bestFirst;
        heads.forEach((each) => each.setAttribute("aria-sort", each === head ? next : "none"));
        const sign = next === "ascending" ? 1 : -1;
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(sortKey(a, column), sortKey(b, column), sign));
        table.tBodies[0].append(...rows);
      });
    });
  }

  byId("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, all = 0;
    for (const table of document.querySelectorAll("table.sortable")) {
      let here = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = !words.every((word) => row.dataset.words.includes(word));
        here += !row.hidden;
        all += 1;
      }
      shown += here;
      table.closest(".card").querySelector(".none").hidden = here > 0;
    }
    for (const details of document.querySelectorAll("#summary details")) if (words.length) details.open = true;
    byId("filtered").textContent = words.length ? `${shown} of ${all} rows fit.` : "";
  });
}
