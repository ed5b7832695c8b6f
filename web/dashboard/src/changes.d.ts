declare module 'virtual:schema-changes' {
  const releases: readonly import('../build/changes').Release[];
  export default releases;
}
