/** What the server says in its own words, which are English whatever the reader's language: read aloud as such. */
export function ServerText({ children }: { children: string | null | undefined }) {
  return children ? <span lang="en">{children}</span> : '–';
}
