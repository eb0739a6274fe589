// Shows the changes that have all the words of the box; without it, all are shown.
const box = document.getElementById("filter");
const rows = [...document.querySelectorAll("#first-changes tbody tr")];
const texts = rows.map(row => [...row.cells].map(cell => cell.textContent).join(" ").toLowerCase());
const count = document.getElementById("shown");
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\s+/);
  rows.forEach((row, at) => { row.hidden = !words.every(word => texts[at].includes(word)); });
  count.textContent = rows.filter(row => !row.hidden).length + " of " + rows.length + " shown";
});
box.parentElement.hidden = false;
