import { page } from '../../app/page';

export default page({
  path: '/w/:slug/inbox',
  access: 'workspace',
  load: () => import('./Inbox'),
  navigation: { group: 'workspace', order: 20, icon: 'inbox', label: 'inbox' },
});
