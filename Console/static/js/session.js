// Who has signed in, as the server wrote it into the page.

const { name, role, vault } = document.body.dataset;
const ROLES = ["viewer", "contributor", "admin"];

export const person = { name, role };
export const vaultName = vault;
export const has = (least) => ROLES.indexOf(role) >= ROLES.indexOf(least);
