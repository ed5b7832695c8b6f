/**
 * Cuts a page off, before it is opened: its requests fail, its connection is closed, and it gets no other until it is mended.
 * Who is told to be offline keeps the connections that are open.
 */
export async function cuttable(page) {
  const open = new Set();
  let isCut = false;
  await page.route('**/graphql', (route) => (isCut ? route.abort() : route.fallback()));
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    const close = () => socket.close({ code: 1012 });
    if (isCut) {
      close();
      return;
    }
    const server = socket.connectToServer();
    const both = () => {
      close();
      server.close();
    };
    open.add(both);
    server.onClose((code, reason) => {
      open.delete(both);
      socket.close({ code: code === 1006 ? 1012 : code, reason });
    });
  });
  return {
    cut() {
      isCut = true;
      for (const both of open) both();
      open.clear();
    },
    mend() {
      isCut = false;
    },
  };
}
