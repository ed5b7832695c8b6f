import { page } from '../../app/page';

export default page({
  path: '/account',
  access: 'signed-in',
  load: () => import('./Account'),
  navigation: { group: 'account', order: 10, icon: 'person', label: 'account' },
});
