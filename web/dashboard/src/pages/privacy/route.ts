import { page } from '../../app/page';

export default page({
  path: '/w/:slug/privacy',
  access: 'workspace',
  role: 'ADMIN',
  load: () => import('./Privacy'),
  navigation: { group: 'admin', order: 70, icon: 'shield', label: 'retention' },
});
