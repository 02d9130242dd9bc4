// An id made of a name: lower-case letters, digits and hyphens, 63 at most.

const MOST = 63;

export function slug(name, otherwise) {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return plain.replace(/^-+/, "").slice(0, MOST).replace(/-+$/, "") || otherwise;
}

// The same with a number behind it, when the id is taken.
export function numbered(id, number) {
  const tail = `-${number}`;
  return number < 2 ? id : id.slice(0, MOST - tail.length).replace(/-+$/, "") + tail;
}
