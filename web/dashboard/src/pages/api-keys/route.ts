import { page } from '../../app/page';

export default page({
  path: '/w/:slug/api-keys',
  access: 'workspace',
  role: 'ADMIN',
  load: () => import('./ApiKeys'),
  navigation: { group: 'admin', order: 20, icon: 'key', label: 'apiKeys' },
});
