import './app/messages';
import { SESSION } from './app/question';
import { loadRoute, routeOf } from './app/routes';
import { askEarly } from './graph/early';
import { preferred } from './i18n/language';

// A script of its own, and a small one: it runs while the rest is still being loaded.
askEarly(SESSION);
const route = routeOf(location.pathname);
if (route) {
  route.ahead?.(location.pathname.split('/')[2] ?? '');
  // Who may not see it is shown another, and who could not load it is told so then.
  loadRoute(route, preferred()).catch(() => {});
}
