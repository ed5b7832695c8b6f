import { page } from '../../app/page';
import { askEarly } from '../../graph/early';
import { timeZone } from '../../i18n/format';
import { read } from './period';
import { asked, OVERVIEW } from './question';

export default page({
  path: '/w/:slug',
  access: 'workspace',
  load: () => import('./Overview'),
  ahead: (slug) => askEarly(OVERVIEW, asked(slug, read(location.search, new Date()), timeZone())),
  navigation: { group: 'workspace', order: 10, icon: 'pulse', label: 'overview' },
});
