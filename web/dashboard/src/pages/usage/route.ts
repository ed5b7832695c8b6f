import { page } from '../../app/page';

export default page({
  path: '/w/:slug/usage',
  access: 'workspace',
  role: 'ADMIN',
  load: () => import('./Usage'),
  navigation: { group: 'admin', order: 80, icon: 'gauge', label: 'usage' },
});
